"""The desk of agents: lists of mail, the page of a mail, the conversation around it."""
