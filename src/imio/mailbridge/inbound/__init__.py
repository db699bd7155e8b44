"""Incoming mail: from the bytes that a pipe delivers to documents, or to the quarantine with a reason."""
