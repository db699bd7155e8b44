"""Programs that run beside a mail server and bring its mail to the site: LMTP and IMAP. No Zope."""
