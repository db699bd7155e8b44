"""The diagnosis of an SMTP account, step by step from the server's name to a delivered message."""
