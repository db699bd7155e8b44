"""What brings a site of an older version to this one: a module for each version of the profile."""
