"""The small PyTorch runtime that closes the gaps an audit finds.

Importing this package imports nothing heavy: torch is loaded by the module
that needs it, when it is used.
"""

__version__ = "0.1.0"
