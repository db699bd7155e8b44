"""Pages for agents and managers of mail."""
