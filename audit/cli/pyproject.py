"""``codex-audit pyproject``: is a ``pyproject.toml`` valid and in canonical form?"""

import re
from difflib import unified_diff
from pathlib import Path

import click

from audit.errors import ExitCode
from audit.pyproject import file
from audit.pyproject.canonical import canonical


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--check", "mode", flag_value="check", help="Say whether it would change (default).")
@click.option("--write", "mode", flag_value="write", help="Write the canonical form.")
@click.option("--diff", "mode", flag_value="diff", help="Print what would change.")
def command(path: Path, mode: str | None) -> int:
    """Bring a pyproject.toml (PATH, or the one in the folder PATH) to its canonical form.

    Exit codes: 0 it is in canonical form, or was written; 1 it would change;
    2 it is no valid project file, and is left as it is.
    """
    document = file.read(file.find(path))
    new = canonical(document.text)
    if new == document.text:
        click.echo(f"{document.path}: in canonical form", err=True)
        return ExitCode.OK
    if mode == "write":
        file.write(document, new)
        click.echo(f"{document.path}: written in canonical form", err=True)
        return ExitCode.OK
    if mode == "diff":
        click.echo(_diff(document, new), nl=False)
    else:
        click.echo(
            f"{document.path}: not in canonical form: run codex-audit pyproject --write {path}",
            err=True,
        )
    return ExitCode.FAILED


def _diff(document: file.Document, new: str) -> str:
    name = str(document.path)
    old, changed = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (document.text, new))
    lines = unified_diff(old, changed, f"{name} (as it is)", f"{name} (canonical)")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
