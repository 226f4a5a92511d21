"""The values of documentation truth: claims, what is known about them, findings."""

import difflib
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

from audit.model import Tool, Value

SCHEMA_VERSION = 1


class Claim(Value, frozen=True):
    """Something that a page says about the repository and that can be looked up."""

    path: str
    line: int
    text: str


class Holds(Value, frozen=True):
    """The claim is true."""


class Wrong(Value, frozen=True):
    """The claim is false; `truth` says what is so, `nearest` what may have been meant."""

    truth: str
    nearest: str = ""


class Unknown(Value, frozen=True):
    """Nobody can tell without guessing, for a reason."""

    reason: str


Verdict: TypeAlias = Holds | Wrong | Unknown
Judged: TypeAlias = tuple[Claim, Verdict]
HOLDS = Holds()


class Authority(Value, frozen=True):
    """Everything of one sort that exists, or the reason why it cannot be listed."""

    noun: str
    """What a missing thing is not: ``a target of Makefile``."""
    known: frozenset[str] | None = None
    why: str = ""

    def judge(self, thing: str) -> Verdict:
        """Look a thing up."""
        if self.known is None:
            return Unknown(self.why)
        if thing in self.known:
            return HOLDS
        return Wrong(f"{thing} is not {self.noun}", nearest(thing, self.known))


def nearest(thing: str, known: Iterable[str]) -> str:
    """Return the known thing that reads most like another, empty where none does."""
    return _nearest(thing, tuple(sorted(known)))


@lru_cache(1024)
def _nearest(thing: str, known: tuple[str, ...]) -> str:
    """Find it; the trees of a history ask the same again."""
    close = difflib.get_close_matches(thing, known, n=1, cutoff=0.5)
    return close[0] if close else ""


Family: TypeAlias = Literal[
    "links", "references", "code", "commands", "settings", "coverage", "interface"
]


class Finding(Value, frozen=True):
    """A claim that is false."""

    kind: str
    """What sort of claim it is: ``link``, ``flag``, ``default``, …"""
    path: str
    """The page, or the file that holds what no page names."""
    line: int
    """From 1 on."""
    claim: str
    """As the page says it, on one line, at most 200 characters."""
    truth: str
    """What is so instead."""
    nearest: str
    """What exists and reads most like the claim; empty where nothing does."""

    def sentence(self) -> str:
        """Say it in one line."""
        hint = f" (nearest: {self.nearest})" if self.nearest else ""
        return f"{self.path}:{self.line}: {self.kind}: {self.claim}: {self.truth}{hint}"


class Report(Value, frozen=True):
    """What the check of a repository's documentation came to, the contract of its JSON."""

    schema_version: int
    """Rises when a key goes or changes its meaning."""
    tool: Tool
    """Who wrote it."""
    pages: int
    """Pages that were read."""
    checked: dict[str, int]
    """Kind → claims that an authority decided."""
    skipped: dict[str, int]
    """Reason → claims that none could decide."""
    suppressed: int
    """Claims marked as examples."""
    findings: tuple[Finding, ...]
    """By path and line."""
