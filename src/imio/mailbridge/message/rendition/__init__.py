"""How a message is shown: safe HTML that fetches nothing, and its PDF."""
