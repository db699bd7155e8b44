"""``@mailbridge-status``: whether the bridge works."""
