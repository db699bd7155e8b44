"""Determines what signatures and mail servers prove about a message (DKIM, ARC, Authentication-Results)."""
