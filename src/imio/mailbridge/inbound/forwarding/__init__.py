"""Does the mailbox of a town forward as it should? A message goes out to it, and its return is looked at."""
