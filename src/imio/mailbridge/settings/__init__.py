"""The settings of a site: registry schema, typed snapshot, secrets."""
