"""1002 → 1003: mailboxes read by IMAP, the login mailbox, forwarding checks."""


def upgrade(tool):
    """Add the new settings."""
    tool.runImportStepFromProfile("profile-imio.mailbridge:default", "plone.app.registry")
