"""stub"""
REASONS = {}
