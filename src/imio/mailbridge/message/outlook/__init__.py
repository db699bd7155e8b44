"""Reads Outlook's own formats (``.msg``, ``winmail.dat``, RTF) and writes them as RFC 5322 messages."""
