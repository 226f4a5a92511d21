"""Bring a ``pyproject.toml`` to its canonical form, or say what is wrong with it.

`scan` finds where everything stands, `guard` says what is no valid project
file, `order` and `spelling` are the canonical form, `canonical` applies it,
`file` reads and writes without losing a byte.
"""
