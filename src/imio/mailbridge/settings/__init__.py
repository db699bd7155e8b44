"""What an admin sets, and where it is kept."""
