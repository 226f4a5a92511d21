"""``codex-audit init``: a configuration, a CI workflow and a hook, beside what is there.

Every file is planned before one is written, and what a file holds already stays to the
byte: new text goes behind it, and the result is read back before it counts.
"""

import tomllib
from collections.abc import Iterator
from math import floor
from pathlib import Path
from typing import Any, Final

import msgspec

from audit.config import FILE, TABLE
from audit.errors import AuditError, ConfigError
from audit.files import read_bytes, refuse_escape, replace
from audit.model import Matrix

PYPROJECT: Final = "pyproject.toml"
WORKFLOW: Final = ".github/workflows/codex-audit.yml"
HOOKS: Final = ".pre-commit-config.yaml"

_SETTINGS: Final = """\
# What codex-audit holds this repository to: `codex-audit gate` fails below it.
[{table}]
# Practices that must be present; `codex-audit practices` lists them.
required = []

[{prefix}thresholds]
# The scores of the day this was written, rounded down. Raise them as the repository gets
# better; uncomment the bar of a capability to hold it on its own.
mean = {mean}
{bars}
# A practice or capability that does not fit leaves the score, for a reason that reports show:
# [{prefix}not_applicable]
# serve-http = "a library: whoever uses it brings the server"

# A practice that is missing for a while; the waiver ends on its date:
# [[{prefix}waivers]]
# practice = "checkpoint-async"
# reason = "waits for the new storage"
# owner = "training team"
# expires = "2030-01-01"
"""

_WORKFLOW: Final = """\
# Fails a pull request that falls below the bars of the configuration, or behind its base.
name: codex-audit

on:
  pull_request:
  push:
    branches: [main]

permissions:
  contents: read

jobs:
  gate:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 0 # the base and the commits since
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: "3.12"
      - run: pip install codex-ml
      - run: codex-audit gate ${BASE:+--base "$BASE"} --step-summary --format github
        env:
          BASE: ${{ github.event.pull_request.base.sha }}
"""

_HOOK: Final = """\
- repo: local
  hooks:
    - id: codex-audit
      name: capability gate
      entry: codex-audit gate
      language: system
      pass_filenames: false
      always_run: true
      stages: [pre-push]
"""


class Step(msgspec.Struct, frozen=True):
    """A file with the content that it shall have; the same as before where it is kept."""

    name: str
    content: bytes
    says: str
    kept: bool = False


def plan(root: Path, matrix: Matrix) -> tuple[Step, ...]:
    """Return what to write.

    Raises:
        AuditError: a file that would be added to is damaged, or leads out of the root.
    """
    return (_configuration(root, matrix), _workflow(root), _hook(root))


def write(root: Path, steps: tuple[Step, ...]) -> None:
    """Write each file whole or not at all.

    Raises:
        AuditError: a file cannot be written.
    """
    for one in steps:
        if not one.kept:
            try:
                refuse_escape(root / one.name)
                replace((root / one.name).resolve(), one.content)
            except OSError as error:
                reason = (error.strerror or "cannot be written").lower()
                raise AuditError(f"{root / one.name}: {reason}") from None


def _read(root: Path, name: str) -> bytes | None:
    """Return a file's content, None where there is no file.

    Raises:
        AuditError: it cannot be read, or a link leads out of the root.
    """
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise AuditError(f"{path}: leads out of the repository: it stays as it is")
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuditError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None


def _behind(old: bytes, new: str) -> bytes:
    """Return new text behind an old content, in its line ends."""
    end = "\r\n" if b"\r\n" in old else "\n"
    gap = "" if not old or old.endswith(b"\n") else end
    return old + (gap + new.replace("\n", end)).encode()


# -------------------------------------------------------------- configuration
def _configuration(root: Path, matrix: Matrix) -> Step:
    if (own := _read(root, FILE)) is not None:
        return Step(FILE, own, "is there already", kept=True)
    old = _read(root, PYPROJECT)
    if old is None:
        return Step(FILE, _settings(matrix, "", "").encode(), "the configuration")
    before = _toml(root / PYPROJECT, old)
    if "codex-audit" in _tool(before):
        return Step(PYPROJECT, old, f"has [{TABLE}] already", kept=True)
    content = _behind(old, "\n" + _settings(matrix, TABLE, f"{TABLE}."))
    try:
        after = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError:  # tool is an inline table, which nothing can be added to
        return Step(PYPROJECT, old, f"cannot take [{TABLE}]: write {FILE}", kept=True)
    _tool(after).pop("codex-audit")
    assert after in (before, before | {"tool": {}})
    return Step(PYPROJECT, content, f"[{TABLE}]")


def _settings(matrix: Matrix, table: str, prefix: str) -> str:
    bars = "".join(
        f"# {one.id} = {floor(one.score * 100) / 100}\n"
        for one in matrix.capabilities
        if one.status == "present"
    )
    words = _SETTINGS.format(
        table=table, prefix=prefix, mean=floor(matrix.mean * 100) / 100, bars=bars
    )
    return words if table else words.replace("[]\n", "", 1)


def _toml(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise ConfigError(f"{path}: {error}: mend it first") from None


def _tool(document: dict[str, Any]) -> dict[str, Any]:
    tool = document.get("tool", {})
    return tool if isinstance(tool, dict) else {}


# -------------------------------------------------------------- CI and hook
def _workflow(root: Path) -> Step:
    if (old := _read(root, WORKFLOW)) is not None:
        return Step(WORKFLOW, old, "is there already", kept=True)
    return Step(WORKFLOW, _WORKFLOW.encode(), "the gate of every pull request")


def _hook(root: Path) -> Step:
    old = _read(root, HOOKS)
    if old is None:
        return Step(HOOKS, b"repos:\n" + _indented(2).encode(), "the gate before a push")
    before = _yaml(root / HOOKS, old)
    if any("codex-audit" in f"{one.get('entry')} {one.get('id')}" for one in _hooks(before)):
        return Step(HOOKS, old, "has the hook already", kept=True)
    wanted = before | {"repos": [*before["repos"], *_parsed(_HOOK.encode())]}
    for indent in (2, 0, 4):
        content = _behind(old, _indented(indent))
        if _parsed(content) == wanted:
            return Step(HOOKS, content, "the gate before a push")
    return Step(
        HOOKS, old, "does not end with repos: add a hook with entry codex-audit gate", kept=True
    )


def _indented(spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in _HOOK.splitlines())


def _hooks(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for repository in document["repos"]:
        hooks = repository.get("hooks")
        yield from (one for one in hooks or () if isinstance(one, dict))


def _yaml(path: Path, content: bytes) -> dict[str, Any]:
    found = _parsed(content)
    match found:
        case {"repos": [*rows]} if all(isinstance(row, dict) for row in rows):
            return dict(found)
    raise ConfigError(f"{path}: no list of repos: mend it first, or remove it")


def _parsed(content: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
