"""The first set-up as a conversation: ``@@mailbridge-setup``, one question a screen, each answer tried before the next question.

::

    address ─▶ provider ─▶ way ─▶ server ─▶ authority ─▶ login ─▶ sender ─▶ mailboxes ─▶ forward ─▶ watch ─▶ test ─▶ end
                            └───────┴──────────┘                             only with a mailbox ┘
                            only where it must be asked

What was answered is kept for the site, without secrets, so that anybody may go on later. From the log-in that worked on, the
settings themselves are written; before, nothing of what works now changes.
"""
