"""Turns raw bytes into a message that can be read safely: headers, text, attachments, attached messages."""
