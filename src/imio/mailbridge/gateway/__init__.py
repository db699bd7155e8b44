"""What brings mail to the site for as long as it runs? Programs beside a mail server: LMTP and IMAP. No Zope."""
