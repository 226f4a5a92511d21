"""The stages S1–S6, one pure function each."""
