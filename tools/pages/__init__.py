"""The generated pages: each module yields (path below docs/, content)."""
