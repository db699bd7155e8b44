"""The program that runs on a mail host: two files that need nothing else of the package."""
