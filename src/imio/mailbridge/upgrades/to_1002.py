"""Version 1002: the rows of the tables in the settings have a field of this package; permissions as in a new site."""

from imio.mailbridge.upgrades.registry import update_settings


def upgrade(setup):
    """Bring settings and permissions up to date."""
    update_settings()
    setup.runImportStepFromProfile("profile-imio.mailbridge:default", "rolemap", run_dependencies=False)
