"""The libraries that detectors know, kept as data in ``libraries.toml``."""

import tomllib
from functools import cache
from importlib import resources


@cache
def _tables() -> dict[str, dict[str, str]]:
    content = resources.files("audit.practices").joinpath("libraries.toml").read_bytes()
    return tomllib.loads(content.decode())


def named(topic: str) -> dict[str, str]:
    """Return the dotted names of a topic with what a report calls them.

    Raises:
        KeyError: there is no such topic.
    """
    return _tables()[topic]
