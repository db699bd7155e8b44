"""What runs on a mail host: two files that work alone."""
