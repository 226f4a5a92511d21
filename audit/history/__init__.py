"""Scores over commits, and which commit changed them."""
