"""What a developer's machine needs: an instance, a demo site, a mail catcher."""
