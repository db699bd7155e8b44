"""Plone's own mail, sent through the Outbox."""
