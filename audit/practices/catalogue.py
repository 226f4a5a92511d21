"""The definitions of the practices, without their detectors: light to load."""

import re
import tomllib
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from audit.model import PracticeRole

if TYPE_CHECKING:
    from audit.practices.registry import Practice


ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""How practices and capabilities are named."""


class Definition(msgspec.Struct, frozen=True):
    """A practice as the catalogue defines it."""

    id: str
    capability: str
    role: PracticeRole
    present_if: str
    not_if: str


@cache
def built_in() -> tuple[Definition, ...]:
    """Return the definitions, in catalogue order."""
    content = Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
    return tuple(msgspec.convert(row, Definition) for row in tomllib.loads(content)["practice"])


class Catalogue(msgspec.Struct, frozen=True):
    """The definitions that an audit decides; detectors are loaded when they are asked for."""

    definitions: tuple[Definition, ...]
    extra: "tuple[Practice, ...]" = ()
    """Practices of plugins; their definitions are among `definitions`, last."""
    problems: tuple[str, ...] = ()
    """Plugins that could not be used, and why."""
    state: str = ""
    """Which plugins these are, to the state of their files."""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the practices."""
        return frozenset(one.id for one in self.definitions)

    @property
    def capabilities(self) -> frozenset[str]:
        """The ids of the capabilities."""
        return frozenset(one.capability for one in self.definitions)

    def digest(self) -> str:
        """Return the SHA-256 over the definitions."""
        return sha256(msgspec.json.encode(self.definitions)).hexdigest()

    def practices(self) -> "tuple[Practice, ...]":
        """Return the practices with their detectors, in catalogue order."""
        from audit.practices import registry

        return (*registry.practices(), *self.extra)
