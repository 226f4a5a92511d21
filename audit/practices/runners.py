"""The commands behind a command: make targets, scripts, tox and nox sessions, tasks."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from audit.facts.model import Command, DataFacts, PythonFacts, ScriptFacts
from audit.facts.script import shell_lines
from audit.practices.shell import Argv, argvs
from audit.repository import Repository
from audit.sites import File

Recipe: TypeAlias = tuple[str, Iterable[str]]
"""The path of a file and commands that it holds."""


_PROGRAM: Final = re.compile(r"(?<![\w/.-])(?:\./)?(?!setup\.py)[\w/-]+\.py\b")
_STARTS: Final = re.compile(r"^(subprocess\.(run|call|check_call|check_output|Popen)|os\.system)$")
_WORD: Final = re.compile(r"'([^']*)'")
_PATH: Final = re.compile(r"(?<![\w/])[\w.-]*/?[\w./-]*/[\w.-]+|(?<![\w/])[\w-]+\.(?:sh|bash)\b")


def behind(repo: Repository, text: str) -> Iterator[Recipe]:
    """Yield the files that hold the commands behind a command line, with those commands."""
    for found in _PATH.findall(text):
        file = repo.files.get(found.removeprefix("./"))
        if file is not None and isinstance(file.facts, ScriptFacts):
            yield file.path, [one.text for one in file.facts.commands]
    for found in _PROGRAM.findall(text):
        file = repo.files.get(found.removeprefix("./"))
        if file is not None and isinstance(file.facts, PythonFacts) and file.role != "test":
            yield file.path, list(_started(file.facts))
    for argv in argvs(text):
        match argv[0]:
            case "make" | "gmake":
                yield from _make(repo, argv[1:])
            case "tox":
                yield from _tox(repo, argv[1:])
            case "just":
                yield from _just(repo, argv[1:])
            case "nox":
                yield from _nox(repo, argv[1:])
            case name:
                yield from _task(repo, name)


def _started(facts: PythonFacts) -> Iterator[str]:
    """Yield the commands that a Python script starts as other programs."""
    for call in facts.calls:
        if _STARTS.match(call.names[0]) and call.args:
            yield " ".join(_WORD.findall(call.args[0]))


def _option(argv: Argv, *names: str) -> str:
    """Return the value of an option: ``-e lint``, ``--env=lint``."""
    for place, word in enumerate(argv):
        if word in names and place + 1 < len(argv):
            return argv[place + 1]
        for name in names:
            if name.startswith("--") and word.startswith(f"{name}="):
                return word.partition("=")[2]
    return ""


def _make(repo: Repository, argv: Argv) -> Iterator[Recipe]:
    folder = _option(argv, "-C", "--directory").strip("./")
    for name in ("Makefile", "makefile", "GNUmakefile"):
        file = repo.files.get(f"{folder}/{name}" if folder else name)
        if file is not None and isinstance(file.facts, ScriptFacts):
            wanted = {one for one in argv if not one.startswith("-") and "=" not in one}
            if file.facts.targets and not wanted - {folder}:
                wanted = {file.facts.targets[0].name}
            yield file.path, list(_recipes(file.facts, wanted))


def _just(repo: Repository, argv: Argv) -> Iterator[Recipe]:
    for file in repo.named("justfile", ".justfile"):
        if isinstance(file.facts, ScriptFacts):
            wanted = {one for one in argv if not one.startswith("-")}
            yield file.path, list(_recipes(file.facts, wanted or {"default"}))


def _recipes(facts: ScriptFacts, wanted: set[str]) -> Iterator[str]:
    """Yield the commands of some targets and of all that they need."""
    queue, seen = list(wanted), set(wanted)
    starts = sorted({one.line for one in facts.targets})
    while queue:
        name = queue.pop(0)
        for target in facts.targets:
            if target.name == name:
                end = next((line for line in starts if line > target.line), 1 << 30)
                yield from (c.text for c in facts.commands if target.line <= c.line < end)
                queue += [one for one in target.needs if one not in seen]
                seen.update(target.needs)


def _tox(repo: Repository, argv: Argv) -> Iterator[Recipe]:
    wanted = _option(argv, "-e", "--env", "-f").split(",")
    for file in repo.named("tox.ini", "tox.toml", "setup.cfg", "pyproject.toml"):
        if "/" in file.path or not isinstance(file.facts, DataFacts):
            continue
        for key in file.facts.keys:
            section, _, last = key.path.rpartition(".")
            if last == "commands" and (found := re.match(r"^testenv(?::(.+))?$", section)):
                names = (found[1] or "").split(",")
                if not found[1] or wanted == [""] or set(names) & set(wanted):
                    yield file.path, key.value.splitlines()
            elif re.match(r"^(tool\.tox\.)?env(_run_base|\.[^.]+)\.commands\[\d+\]$", key.path):
                words = [
                    one.value for one in file.facts.keys if one.path.startswith(f"{key.path}[")
                ]
                yield file.path, [" ".join(words)]


def _nox(repo: Repository, argv: Argv) -> Iterator[Recipe]:
    wanted = _option(argv, "-s", "--session", "--sessions", "-e")
    file = repo.files.get("noxfile.py")
    if file is not None and isinstance(file.facts, PythonFacts):
        definitions = file.facts.definitions
        yield (
            file.path,
            [
                " ".join(arg.strip("'") for arg in call.args if arg.startswith("'"))
                for call in file.facts.calls
                if call.names[0].endswith((".run", ".run_always"))
                and (not wanted or definitions[call.scope].name in wanted.partition("-")[0])
            ],
        )


def recipes(repo: Repository) -> Iterator[tuple[File, Command]]:
    """Yield the commands that tox, nox and the tasks of pyproject.toml hold, with their places."""
    for file, key in repo.keys_of("tox.ini", "pyproject.toml", "pixi.toml"):
        tox = key.path.rpartition(".")[2] == "commands" and key.path.startswith("testenv")
        if key.value and "/" not in file.path and (tox or _TASK.match(key.path)):
            yield from ((file, line) for line in shell_lines(key.value, key.line))
    nox = repo.files.get("noxfile.py")
    if nox is not None and isinstance(nox.facts, PythonFacts):
        for call in nox.facts.calls:
            if call.names[0].endswith((".run", ".run_always")):
                words = " ".join(arg.strip("'") for arg in call.args if arg.startswith("'"))
                yield nox, Command(call.line, words)


_TASK: Final = re.compile(
    r"^(?:tool\.)?(?:(?:pixi\.)?(?:feature\.[^.]+\.)?tasks|hatch\.envs\.[^.]+\.scripts|poe\.tasks|pdm\.scripts"
    r"|taskipy\.tasks|rye\.scripts)\.([\w:-]+)(?:\[\d+\]|\.cmd|\.shell|\.command)?$"
)
_tasks_of: WeakKeyDictionary[Repository, dict[str, list[str]]] = WeakKeyDictionary()


def _tasks(repo: Repository) -> dict[str, list[str]]:
    """Return the tasks that pyproject.toml gives hatch, poe, pdm, pixi, taskipy or rye."""
    known = _tasks_of.get(repo)
    if known is None:
        known = _tasks_of[repo] = {}
        for _, key in repo.keys_of("pyproject.toml", "pixi.toml"):
            if key.value and (found := _TASK.match(key.path)):
                known.setdefault(found[1], []).append(key.value)
    return known


def _task(repo: Repository, name: str) -> Iterator[Recipe]:
    if commands := _tasks(repo).get(name.rpartition(":")[2]):
        yield "pyproject.toml", commands
