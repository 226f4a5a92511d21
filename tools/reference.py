"""Generate the reference pages from the code that they describe.

Usage: python tools/reference.py [--check]

Writes docs/practices/, docs/reference/ and docs/schemas/. With --check nothing is
written: every page that is not what the code says is named, exit code 1.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from audit import cli, config, errors, history, model, proof
from audit.cli import COMMANDS, LazyGroup
from audit.practices import registry
from audit.validation import model as validation

ROOT = Path(__file__).parents[1]
SCHEMAS: dict[str, tuple[Any, str]] = {
    "capability_matrix": (model.Matrix, "The capability matrix of codex-audit"),
    "history": (history.History, "The history of codex-audit"),
    "manifest": (proof.Manifest, "The manifest of a report of codex-audit"),
    "statement": (proof.Statement, "The in-toto statement about a report of codex-audit"),
    "validation": (validation.Report, "The result of codex-audit validate"),
}


def pages() -> Iterator[tuple[str, str]]:
    """Yield every generated file below docs/ with its content."""
    for name, (kind, title) in SCHEMAS.items():
        yield f"schemas/{name}.schema.json", schema(kind, title)
    for one in registry.practices():
        yield f"practices/{one.id}.md", practice(one)
    yield "practices/index.md", catalogue()
    yield "reference/codex-audit.md", commands()
    yield "reference/configuration.md", configuration()
    yield "reference/exit-codes.md", exit_codes()


def schema(kind: Any, title: str) -> str:
    """Return the JSON Schema (2020-12) of a type."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    found = msgspec.json.encode(head | msgspec.json.schema(kind))
    return msgspec.json.format(found, indent=2).decode() + "\n"


def practice(one: registry.Practice) -> str:
    """Return the page of a practice."""
    prose = one.prose
    fence = "```python" if one.code else "```text"
    parts = [
        f"# {prose.title}",
        f"`{one.id}` is a {one.role} practice of [{one.capability}](index.md#{one.capability}).",
        prose.what,
        f"## Why it matters\n\n{prose.why}",
        f"## How it is decided\n\n**Present if:** {one.present_if}\n\n**Not enough:** {one.not_if}\n\n"
        f"Searched: {one.looks_for}.",
        f"## How to fix it\n\n{prose.fix}",
        f"**Drop-in:** `{prose.drop_in}`" if prose.drop_in else "",
        f"## Good\n\n{fence}\n{prose.good}\n```",
        f"## Not enough\n\n{fence}\n{prose.bad}\n```",
        f"## Known limits\n\n{prose.limits}" if prose.limits else "",
        "## Doing without\n\nA practice that does not fit a repository leaves the score, for a reason:\n\n"
        f'```toml\n[tool.codex-audit.not_applicable]\n{one.id} = "the reason, for whoever reads the report"\n```',
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def catalogue() -> str:
    """Return the list of all practices by capability."""
    lines = ["# Practices", "", "What the audit decides, capability by capability."]
    capability = ""
    for one in registry.practices():
        if one.capability != capability:
            capability = one.capability
            lines += ["", f"## {capability}", "", "| practice | role | |", "|---|---|---|"]
        lines.append(f"| [{one.prose.title}]({one.id}.md) | {one.role} | `{one.id}` |")
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Return the reference of the command line."""
    group = cli.cli
    context = click.Context(group, info_name="codex-audit")
    lines = ["# codex-audit", "", "The same as `python -m audit`.", ""]
    lines += ["| command | does |", "|---|---|"]
    lines += [
        f"| [`codex-audit {name}`](#{name}) | {COMMANDS[name]} |" for name in sorted(COMMANDS)
    ]
    assert isinstance(group, LazyGroup)
    for name in sorted(COMMANDS):
        command = group.get_command(context, name)
        assert command is not None
        lines += ["", f"## {name}", "", *_command(command, context, f"codex-audit {name}")]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, parent: click.Context, path: str) -> Iterator[str]:
    inner = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    usage = " ".join(command.collect_usage_pieces(inner))
    yield f"```text\n{path} {usage}\n```"
    yield ""
    yield inspect.cleandoc(command.help or "")
    rows = [found for one in command.get_params(inner) if (found := one.get_help_record(inner))]
    if rows:
        yield from ("", "| option | meaning |", "|---|---|")
        for option, meaning in rows:
            yield f"| `{option}` | {meaning} |".replace("|text", "\\|text")


def configuration() -> str:
    """Return the reference of the configuration keys."""
    lines = [
        "# Configuration",
        "",
        f"`[{config.TABLE}]` in `pyproject.toml`, or the same keys in `{config.FILE}`. An unknown key "
        "is an error that names the nearest key and the line.",
        "",
        "| key | type | default | meaning |",
        "|---|---|---|---|",
    ]
    words = field_docs(config.Config)
    for one in msgspec.structs.fields(config.Config):
        default = one.default if one.default is not msgspec.NODEFAULT else one.default_factory()  # type: ignore[misc]
        kind = str(getattr(one.type, "__name__", one.type)).replace("|", "\\|")
        lines.append(f"| `{one.name}` | `{kind}` | `{default!r}` | {words.get(one.name, '')} |")
    lines += ["", "## Waivers", "", "| key | meaning |", "|---|---|"]
    words = field_docs(model.Waiver)
    lines += [f"| `{name}` | {words.get(name, '')} |" for name in model.Waiver.__struct_fields__]
    return "\n".join(lines) + "\n"


def field_docs(kind: type) -> dict[str, str]:
    """Return the docstrings that stand below a class's fields, one line each."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for before, after in zip(tree.body, tree.body[1:], strict=False):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                found[name] = re.sub(r"\s+", " ", words).replace("``", "`").strip()
    return found


def exit_codes() -> str:
    """Return the reference of the exit codes."""
    lines = ["# Exit codes", "", "| code | name | meaning |", "|--:|---|---|"]
    (tree,) = ast.parse(inspect.getsource(errors.ExitCode)).body
    assert isinstance(tree, ast.ClassDef)
    for before, after in zip(tree.body, tree.body[1:], strict=False):
        match before, after:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                lines.append(f"| {errors.ExitCode[name].value} | `{name}` | {words} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check."""
    stale = []
    for name, content in pages():
        path = ROOT / "docs" / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
    known = {f"docs/practices/{one.id}.md" for one in registry.practices()}
    for path in sorted((ROOT / "docs/practices").glob("*.md")):
        if path.name != "index.md" and str(path.relative_to(ROOT)) not in known:
            stale.append(f"practices/{path.name}")
            if "--check" not in sys.argv:
                path.unlink()
    for name in stale:
        print(f"docs/{name}: changed: run make reference")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
