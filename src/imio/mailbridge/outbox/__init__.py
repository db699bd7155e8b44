"""Outgoing messages as agents submit them: the record, its states, permissions and queries."""
