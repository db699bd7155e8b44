"""E-mails of the bridge itself: notices to agents and alarms to administrators."""
