"""stub"""

REASONS = {}
