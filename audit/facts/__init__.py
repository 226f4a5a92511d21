"""Blob → facts: one module per kind of file, nothing about paths or other files."""
