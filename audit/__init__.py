"""Know, with proof, what a machine-learning repository can really do."""

__version__ = "0.1.0"
