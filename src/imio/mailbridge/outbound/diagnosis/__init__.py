"""Why does an account not work, and what to ask the mail provider? Steps from the server's name to the message in the mailbox."""
