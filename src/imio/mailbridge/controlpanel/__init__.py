"""The control panel of the bridge."""
