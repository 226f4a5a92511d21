"""JSON Schemas from the types that are written, and the page that explains their keys."""

import json
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from audit import model, proof
from audit.docs_truth import model as docs_truth
from audit.history import scores as history
from audit.validation import model as validation
from pages.markup import code, documented, page, table

SCHEMAS: dict[str, tuple[Any, str]] = {
    "capability_matrix": (model.Matrix, "The capability matrix of codex-audit"),
    "documentation": (docs_truth.Report, "The result of codex-audit docs"),
    "history": (history.History, "The history of codex-audit"),
    "manifest": (proof.Manifest, "The manifest of a report of codex-audit"),
    "statement": (proof.Statement, "The in-toto statement about a report of codex-audit"),
    "validation": (validation.Report, "The result of codex-audit validate"),
}
MODULES = (docs_truth, history, model, proof, validation)
WRITTEN_BY = {
    "capability_matrix": "`codex-audit run --format json`, and as `reports/capability_matrix.json`",
    "documentation": "`codex-audit docs --format json`",
    "history": "`codex-audit history --format json`",
    "manifest": "`codex-audit run --out DIR`, as `DIR/manifest.json`",
    "plugins": "`codex-ml plugins list --format json`",
    "results": "`codex-ml evaluate --out DIR`, as `DIR/results.json`",
    "statement": "`codex-audit run --out DIR`, as `DIR/manifest.intoto.json`",
    "validation": "`codex-audit validate --format json`",
}


def pages(docs: Path) -> Iterator[tuple[str, str]]:
    """Yield the schemas that are generated, and the page about all."""
    found = {name: schema(kind, title) for name, (kind, title) in SCHEMAS.items()}
    for name, content in found.items():
        yield f"schemas/{name}.schema.json", content
    for path in sorted((docs / "schemas").glob("*.schema.json")):
        name = path.name.removesuffix(".schema.json")
        found.setdefault(name, path.read_text(encoding="utf-8"))
    yield "reference/json-schemas.md", reference(found)


def schema(kind: Any, title: str) -> str:
    """Return the JSON Schema (2020-12) of a type."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    modules = (*MODULES, sys.modules[kind.__module__])  # of two types with one name, its own
    kinds = {name: one for module in modules for name, one in vars(module).items()}
    found = msgspec.json.encode(head | described(msgspec.json.schema(kind), kinds))
    return msgspec.json.format(found, indent=2).decode() + "\n"


def described(found: dict[str, Any], kinds: dict[str, Any]) -> dict[str, Any]:
    """Add the docstrings of the fields to a schema."""
    for name, one in found.get("$defs", {}).items():
        if "description" in one:  # Python 3.13 takes the indentation off docstrings
            one["description"] = cleandoc(one["description"])
        written = {field.name: field.encode_name for field in msgspec.structs.fields(kinds[name])}
        for key, _, words in documented(kinds[name]):
            if words and key in written:
                value = one["properties"][written[key]]
                # next to a $ref, a description is allowed since draft 2019-09
                one["properties"][written[key]] = {"description": words} | value
    return found


def reference(schemas: dict[str, str]) -> str:
    """Return the page that explains the keys of all schemas."""
    parts = [
        "Each document that a command writes for machines has a JSON Schema (2020-12). Keys may be added "
        "within a `schema_version`; a key that goes or changes its meaning raises it.",
    ]
    for name, content in sorted(schemas.items()):
        root = json.loads(content)
        parts.append(
            f"## {name}\n\nWritten by {WRITTEN_BY[name]}: "
            f"[{name}.schema.json](../schemas/{name}.schema.json)."
        )
        for title, one in objects(root):
            about = " ".join(one.get("description", "").replace("``", "`").split())
            parts += [f"### {name}: {title}" if title else "", about if title else "", _keys(one)]
    return page("JSON schemas", *parts)


def objects(root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects with keys of a schema: the document without a title, then the others."""
    first = _resolved(root, root)
    for one in first.get("oneOf", (first,)):
        yield from _inside(one.get("title", "") if one is not first else "", one)
    for title, one in sorted((root.get("$defs") or {}).items()):
        if one is not first:
            yield from _inside(title, one)


def _inside(title: str, one: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an object and those that its keys hold without a name of their own."""
    if one.get("properties"):
        yield title, one
    for key, value in one.get("properties", {}).items():
        for inner in (value, value.get("items"), *value.get("oneOf", ())):
            if isinstance(inner, dict) and inner.get("properties"):
                yield from _inside(f"{title}.{key}".lstrip("."), inner)


def _keys(one: dict[str, Any]) -> str:
    required = set(one.get("required", ()))
    rows = [
        (
            code(key),
            _type(value),
            "always" if key in required else "optional",
            value.get("description", "").replace("``", "`"),
        )
        for key, value in one.get("properties", {}).items()
    ]
    return table(("key", "type", "present", "meaning"), rows)


def _type(value: dict[str, Any]) -> str:
    match value:
        case {"$ref": str(ref)}:
            return ref.rpartition("/")[2]
        case {"enum": list(values)}:
            return ", ".join(code(one) for one in values)
        case {"const": constant}:
            return code(constant)
        case {"anyOf": list(options)} | {"oneOf": list(options)}:
            return " or ".join(map(_type, options))
        case {"type": "array", "items": dict(items)}:
            return f"array of {_type(items)}"
        case {"type": "object", "additionalProperties": dict(items)}:
            return f"object of {_type(items)}"
        case {"type": list(names)}:
            return " or ".join(names)
        case {"type": str(name)}:
            return name
    return "any"


def _resolved(one: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in one:
        found: dict[str, Any] = root["$defs"][one["$ref"].rpartition("/")[2]]
        return found
    return one
