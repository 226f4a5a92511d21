"""Members: every attribute of a class and of its instances, where all are to be seen."""

import builtins
import re
from typing import Final

from audit.code.modules import Module
from audit.code.program import Program
from audit.docs_truth.cli.words import strings

_PLAIN_BASES: Final = frozenset({
    "abc.ABC", "typing.Generic", "typing.Protocol", "builtins.object", "typing_extensions.Protocol",
    "typing.Generic[]", "typing.Protocol[]",
})  # fmt: skip
_PLAIN_DECORATORS: Final = re.compile(
    r"^(dataclasses\.dataclass|attrs?\.\w+|functools\.total_ordering|typing\.\w+|typing_extensions"
    r"\.\w+|warnings\.deprecated)(\(\))?$"
)


class Members:
    """The members of the classes of a repository."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[int, frozenset[str] | None] = {}

    def of(self, node: int) -> frozenset[str] | None:
        """Return every attribute of a class and its instances, None where some are unseen."""
        if node not in self._known:
            self._known[node] = frozenset()
            self._known[node] = self._gather(node)
        return self._known[node]

    def _gather(self, node: int) -> frozenset[str] | None:
        module = self.program.owner[node]
        one = self.program.definition(node)
        own = {
            name[len(one.name) + 1 :]
            for name in module.by_name
            if name.startswith(f"{one.name}.") and "." not in name[len(one.name) + 1 :]
        }
        if {"__getattr__", "__getattribute__"} & own or self._sets_attributes(module, node):
            return None
        for text in one.decorators:
            absolute = self.program.resolve(module, text)[0]
            if not _PLAIN_DECORATORS.match(absolute):
                return None
        own |= self._assigned_in(module, node - module.first)
        for base in one.bases:
            inherited = self._inherited(module, base)
            if inherited is None:
                return None
            own |= inherited
        return frozenset(own) | frozenset(dir(object))

    def _inherited(self, module: Module, base: str) -> frozenset[str] | None:
        if "=" in base:
            allowed = base in ("metaclass=abc.ABCMeta", "frozen=True", "total=False")
            return frozenset() if allowed or not base.startswith("metaclass") else None
        text, found = self.program.resolve(module, base)
        if found >= 0:
            return self.of(found)
        if text in _PLAIN_BASES or text.startswith(("typing.Generic", "typing.Protocol")):
            return frozenset()
        kind = getattr(builtins, text.removeprefix("builtins."), None)
        if text.startswith("builtins.") and isinstance(kind, type):
            return frozenset(dir(kind))
        return None

    def _assigned_in(self, module: Module, place: int) -> set[str]:
        """Return what the body of a class, and its methods on ``self``, assign."""
        definitions = module.facts.definitions
        found: set[str] = set()
        for one in module.facts.assigns:
            if one.scope == place:
                found.add(re.split(r"[.\[]", one.target)[0])
                found |= set(strings(one.value)) if one.target == "__slots__" else set()
            elif one.target.startswith("self."):
                scope = one.scope
                while scope > 0 and definitions[scope].kind == "function":
                    scope = definitions[scope].parent
                if scope == place:
                    found.add(re.split(r"[.\[]", one.target[5:])[0])
        return found

    def _sets_attributes(self, module: Module, node: int) -> bool:
        definitions = module.facts.definitions
        for call in module.facts.calls:
            if "builtins.setattr" in call.names or call.names[0].endswith("__dict__.update"):
                scope = call.scope
                while scope > 0:
                    if module.first + scope == node:
                        return True
                    scope = definitions[scope].parent
        return False
