"""Forwarding checks of the source mailboxes, and the alarm about one that falls silent."""
