"""The way out: from the compose form to the server's answer, and back onto the document."""
