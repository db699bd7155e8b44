"""Delivery of the Outbox: SMTP accounts, what the server's answers mean, and the documents' status."""
