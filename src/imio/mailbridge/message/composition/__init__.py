"""What an agent wrote, as a message: sender policy, MIME, bounce addresses, checks before sending."""
