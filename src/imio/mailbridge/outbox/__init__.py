"""The Outbox: what agents and the bridge send, its record, states, permissions and queries."""
