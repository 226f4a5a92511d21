"""What detectors are given: files with their facts, and calls with what holds them."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import msgspec

from audit.code.modules import Module
from audit.code.program import Program
from audit.facts.model import Block, Call, Definition, Facts, ProseFacts, TextFacts
from audit.model import Role


class File(msgspec.Struct, frozen=True, gc=False):
    """A file of the index with its role and facts."""

    path: str
    role: Role
    blob: str
    facts: Facts | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def words(self) -> int:
        """How many words a text or a page has, 0 for other files."""
        match self.facts:
            case TextFacts(words=count) | ProseFacts(words=count):
                return count
        return 0

    @property
    def body_words(self) -> int:
        """How many words a text or a page has besides its headings."""
        headings = self.facts.headings if isinstance(self.facts, ProseFacts) else ()
        return self.words - sum(len(one.text.split()) + 1 for one in headings)


class Site(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A call in product code, with the module that holds it and what its callee resolves to."""

    program: Program
    module: Module
    call: Call
    names: tuple[str, ...]
    """Absolute texts: ``torch.save``, ``pkg.mod:Trainer.fit``, ``@model.state_dict``."""

    @property
    def path(self) -> str:
        """Path of the module."""
        return self.module.path

    @property
    def line(self) -> int:
        """Line of the call."""
        return self.call.line

    @property
    def scope(self) -> Definition:
        """The definition that holds the call."""
        return self.module.facts.definitions[self.call.scope]

    @property
    def node(self) -> int:
        """The node of the definition that holds the call."""
        return self.module.first + self.call.scope

    @property
    def method(self) -> str:
        """The last part of the callee: ``state_dict`` of ``@model.state_dict``."""
        return last(self.names[0])

    @property
    def receivers(self) -> tuple[str, ...]:
        """What the method is called on, one text per name."""
        return tuple(name.rpartition(".")[0] for name in self.names)

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks around the call, innermost first, inside its definition."""
        return blocks_from(self.module, self.call.block)

    def within(self, kind: str, pattern: str = "") -> bool:
        """Tell whether a block of a kind, whose text the pattern finds, is around the call."""
        return any(one.kind == kind and re.search(pattern, one.text) for one in self.blocks())

    def arguments(self) -> Iterator[str]:
        """Yield the canonical text of every argument, positional then by keyword."""
        yield from self.call.args
        yield from (value for _, value in self.call.kwargs)


def last(name: str) -> str:
    """Return the last part of a name: ``save`` of ``torch.save`` and of ``pkg.io:save``."""
    return name.rpartition(".")[2].rpartition(":")[2]


def grouped(sites: Iterable[Site], part: Callable[[str], str]) -> dict[str, list[Site]]:
    """Return sites by a part of each of their names, once under each."""
    found: defaultdict[str, list[Site]] = defaultdict(list)
    for site in sites:
        names = site.names
        if len(names) == 1:  # as most have
            found[part(names[0])].append(site)
        else:
            for one in dict.fromkeys(map(part, names)):
                found[one].append(site)
    return dict(found)


def blocks_from(module: Module, block: int) -> Iterator[Block]:
    """Yield a block and those around it, innermost first."""
    while block >= 0:
        found = module.facts.blocks[block]
        yield found
        block = found.parent
