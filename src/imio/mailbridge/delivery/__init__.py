"""Delivery of the Outbox: SMTP accounts, what the server's answers mean, and the documents' status.

One message: ``deliver`` takes it and sends it by ``transport.smtp``, ``answers`` judges each reply, ``settle`` writes the states,
``documents`` writes what the document says.
"""
