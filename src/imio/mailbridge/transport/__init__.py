"""Protocol clients without Zope: SMTP, IMAP, OAuth 2.0 and DNS."""
