"""What a run writes, and what proves it."""
