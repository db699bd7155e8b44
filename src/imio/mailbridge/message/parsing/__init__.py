"""From raw bytes to a message that can be read safely, and what it holds."""
