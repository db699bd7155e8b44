"""Storage of records: by id, listed by state and time; commits that survive conflicts; blobs."""
