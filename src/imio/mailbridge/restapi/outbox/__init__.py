"""``@outbox``: messages that leave."""
