"""Makes a message of what an agent wrote: sender policy, MIME, bounce addresses, checks before sending."""
