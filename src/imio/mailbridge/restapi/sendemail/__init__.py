"""``@send-email``: e-mails written from a document."""
