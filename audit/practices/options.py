"""Options that product code hands to a training library, however they travel."""

import re
from collections.abc import Iterator

from audit.practices.registry import Place, at, in_code
from audit.repository import Repository

_OFF = frozenset({"None", "False", "-1", "0"})


def options(repo: Repository, says: str, *names: str) -> Iterator[Place]:
    """Yield where an option is given a value that switches it on.

    As a keyword, as a key of the keywords that are collected for a call, or as the default
    of a class derived from the library's arguments.
    """
    for site, value in repo.given(*names):
        if value not in _OFF:
            yield at(site, says)
    one_of = "|".join(map(re.escape, names))
    for module, one in repo.assigns(rf"^(?!:).*\['({one_of})'\]$"):
        if one.value not in _OFF:
            yield in_code(module, one.scope, one.line, says)
    for module, one in repo.assigns(rf"[.:]({one_of})$"):
        definition = module.facts.definitions[one.scope]
        if definition.kind == "class" and one.value not in _OFF:
            ancestry = repo.program.ancestry(module.first + one.scope)
            if any(name.endswith("TrainingArguments") for name in ancestry):
                yield in_code(module, one.scope, one.line, says)
