"""``@mailbridge-status``: does the bridge work?"""
