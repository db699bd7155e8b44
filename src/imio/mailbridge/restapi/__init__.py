"""The services of the REST contract, one folder each."""
