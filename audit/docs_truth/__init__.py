"""The documentation of a repository, held against that repository."""
