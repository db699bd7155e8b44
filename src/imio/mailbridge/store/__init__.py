"""The shape that the Outbox and the Inbox share: records by id, listed by state and time."""
