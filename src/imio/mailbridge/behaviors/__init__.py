"""Dexterity behaviors: what a content type needs to take part in mail."""
