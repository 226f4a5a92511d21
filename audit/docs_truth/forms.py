"""Forms: classes with fields, dict displays and JSON schemas, which say what keys there are."""

import msgspec

from audit.facts.model import DataFacts, PythonFacts
from audit.repository import Repository


class Form(msgspec.Struct, frozen=True):
    """A set of keys that belong together."""

    name: str
    path: str
    line: int
    keys: frozenset[str]
    closed: bool
    """No other key is possible: a schema or a class, not a dict that may grow."""
    defaults: tuple[tuple[str, str], ...] = ()
    """Fields with the literal that they default to."""


def forms(repo: Repository) -> tuple[Form, ...]:
    """Return the forms of the product's code and of the repository's schemas."""
    found: list[Form] = []
    for file in repo.files.values():
        match file.facts:
            case PythonFacts() if file.role == "product":
                found += _classes(file.path, file.facts)
                found += [
                    Form("", file.path, one.line, frozenset(one.keys), closed=False)
                    for one in file.facts.records
                ]
            case DataFacts() if file.name.endswith("schema.json"):
                found += _schema(file.path, file.facts)
    return tuple(found)


def _classes(path: str, facts: PythonFacts) -> list[Form]:
    fields: dict[int, dict[str, str]] = {}
    for one in facts.assigns:
        definition = facts.definitions[one.scope]
        if definition.kind == "class" and one.annotation and "ClassVar" not in one.annotation:
            fields.setdefault(one.scope, {})[one.target] = one.value
    return [
        Form(
            facts.definitions[scope].name, path, facts.definitions[scope].line, frozenset(own),
            closed=not facts.definitions[scope].bases or _plain(facts.definitions[scope].bases),
            defaults=tuple(own.items()),
        )
        for scope, own in fields.items()
    ]  # fmt: skip


def _plain(bases: tuple[str, ...]) -> bool:
    """Tell whether bases add no fields that are not to be seen."""
    return all("=" in one or one.rpartition(".")[2] in _ROOTS for one in bases)


_ROOTS = frozenset({"Struct", "BaseModel", "TypedDict", "NamedTuple", "BaseSettings", "object"})


def _schema(path: str, facts: DataFacts) -> list[Form]:
    keys: dict[str, set[str]] = {}
    lines: dict[str, int] = {}
    for key in facts.keys:
        parts = key.path.split(".")
        for place in range(len(parts) - 1):
            if parts[place] == "properties":
                owner = ".".join(parts[:place])
                keys.setdefault(owner, set()).add(parts[place + 1])
                lines.setdefault(owner, key.line)
    return [
        Form(owner or "schema", path, lines[owner], frozenset(names), closed=True)
        for owner, names in keys.items()
    ]
