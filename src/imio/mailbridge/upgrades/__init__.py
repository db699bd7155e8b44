"""Upgrade steps, one module each."""
