"""Outlook's own formats (``.msg``, ``winmail.dat``, RTF), rewritten as RFC 5322 messages."""
