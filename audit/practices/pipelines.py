"""What CI runs: every command and action of its definitions, followed into what they call.

``make quality``, ``bash scripts/test.sh``, ``tox -e lint``, ``nox -s docs`` and task runners
are replaced by the commands behind them, so a rule asks for ``ruff check`` and finds it
wherever it is written.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal

import msgspec

from audit.facts.model import Command, DataFacts, Key, ScriptFacts
from audit.facts.script import shell_lines
from audit.practices.registry import Place
from audit.practices.runners import behind, recipes
from audit.practices.shell import Argv, argvs
from audit.repository import Repository, once
from audit.sites import File


class Step(msgspec.Struct, frozen=True):
    """Something that CI does: a command that it runs, or an action that it uses."""

    file: File
    """The CI definition."""
    line: int
    job: str
    """Dotted path of the job that the step belongs to."""
    kind: Literal["command", "action"]
    text: str
    origin: str
    """Path of the file that holds the command: the definition itself, a Makefile, a script."""
    argvs: tuple[Argv, ...] = ()
    """The programs that the command starts, launchers taken off."""

    def runs(self, *programs: str) -> Argv | None:
        """Return the arguments if one of the programs is started.

        ``ruff check`` asks for the program ``ruff`` with ``check`` among its arguments.
        """
        for head, *rest in _split(programs):
            for argv in self.argvs:
                if argv[0] == head and all(word in argv for word in rest):
                    return argv
        return None

    def reuses(self, pattern: str) -> bool:
        """Tell whether the step is a workflow or action of another repository with such a name."""
        found = _ELSEWHERE.match(self.text) if self.kind == "action" else None
        return found is not None and re.search(pattern, found[1].lower()) is not None

    def place(self, says: str) -> Place:
        """Return the step's place in the CI definition."""
        return Place(self.file.path, self.line, says, -1, self.text.splitlines()[0][:80])


_ELSEWHERE: Final = re.compile(
    r"^[\w.-]+/[\w.-]+/\.github/(?:workflows|actions)/([^@]+?)(?:\.ya?ml)?(?:@|$)"
)
_JOB: Final = re.compile(
    r"^(jobs\[\d+\]|jobs\.[^.\[]+|runs|stages\[\d+\]\.jobs\[\d+\]|steps\[\d+\]|[^.\[]+)"
)
_RUNS: Final = frozenset(
    "run script before_script command commands bash powershell pwsh install after_success "
    "inlineScript".split()
)
_ITEM: Final = re.compile(
    r"(?:^|\.)(?:(?:\w+_)?script|commands?|run|install|entrypoint|args)(?:\[\d+\])?$"
)
_NEVER: Final = re.compile(r"^(false|\$\{\{\s*false\s*\}\})$")
_AXIS: Final = re.compile(
    r"^(?P<job>.*?)\.?(?:strategy\.matrix|matrix(?:\.parameters)?|parallel\.matrix\[\d+\])\."
    r"(?P<axis>(?:include\[\d+\]\.)?[^.\[]+)(?P<item>\[\d+\])?(?:\.(?P<inner>[^\[]+))?$"
)
_MATRIX: Final = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
_DEPTH: Final = 3


@cache
def _split(programs: tuple[str, ...]) -> tuple[list[str], ...]:
    return tuple(one.split() for one in programs)


@once
def steps(repo: Repository) -> tuple[Step, ...]:
    """Return everything that CI does, in file order, calls followed."""
    return tuple(one for file in repo.ci for one in _file_steps(repo, file))


@once
def _starting(repo: Repository) -> dict[str, list[int]]:
    """Return the numbers of the steps that start a program, by its name."""
    found: dict[str, list[int]] = {}
    for at, one in enumerate(steps(repo)):
        for argv in one.argvs:
            found.setdefault(argv[0], []).append(at)
    return found


def running(repo: Repository, *programs: str) -> Iterator[Step]:
    """Yield the steps that start one of the programs."""
    every, starting = steps(repo), _starting(repo)
    found = {at for head, *_ in _split(programs) for at in starting.get(head, ())}
    return (every[at] for at in sorted(found) if every[at].runs(*programs))


def using(repo: Repository, *actions: str) -> Iterator[Step]:
    """Yield the steps that use an action (or reusable workflow) whose name starts so."""
    return (
        one for one in steps(repo) if one.kind == "action" and one.text.lower().startswith(actions)
    )


def reusing(repo: Repository, pattern: str) -> Iterator[Step]:
    """Yield the calls of other repositories' workflows whose own name the pattern finds."""
    return (one for one in steps(repo) if one.reuses(pattern))


def automation(repo: Repository) -> Iterator[tuple[File, Command]]:
    """Yield the commands of Makefiles, maintainers' scripts, task runners, tox and nox."""
    yield from recipes(repo)
    for file in repo.by_role("config", "build", "product"):
        if isinstance(file.facts, ScriptFacts):
            for line in file.facts.commands:
                yield file, line


def workflows(repo: Repository) -> Iterator[tuple[File, tuple[Key, ...]]]:
    """Yield the GitHub workflows that have a job, with their keys."""
    for file in repo.ci:
        match file.facts:
            case DataFacts(keys=keys) if file.path.startswith(".github/workflows/"):
                if any(key.path.startswith("jobs.") for key in keys):
                    yield file, keys


def triggers(file: File) -> Iterator[str]:
    """Yield the events that start a GitHub workflow."""
    for key in file.facts.keys if isinstance(file.facts, DataFacts) else ():
        if (key.path == "on" and key.value) or key.path.startswith("on["):
            yield key.value
        elif key.path.startswith("on."):
            yield key.path.split(".")[1].partition("[")[0]


def axes(file: File) -> dict[tuple[str, str], list[Key]]:
    """Return the values of every matrix axis, those of included rows too, by job and axis."""
    found: dict[tuple[str, str], list[Key]] = {}
    for key in file.facts.keys if isinstance(file.facts, DataFacts) else ():
        if "matrix" in key.path and key.value and (row := _AXIS.match(key.path)):
            axis = row["axis"].rpartition(".")[2]
            name = f"{axis}.{row['inner']}" if row["inner"] else axis
            if row["inner"] and not row["item"]:  # Azure names the rows
                name = row["inner"]
            found.setdefault((row["job"], name), []).append(key)
    return found


def _file_steps(repo: Repository, file: File) -> Iterator[Step]:
    match file.facts:
        case DataFacts(keys=keys):
            matrix = axes(file)
            for key in _live(keys):
                job = _job(key.path)
                last = key.path.rpartition(".")[2]
                if last == "uses":
                    yield Step(file, key.line, job, "action", key.value, file.path)
                elif last in _RUNS or _ITEM.search(key.path):
                    for line in shell_lines(key.value, key.line + ("\n" in key.value)):
                        for text in _filled(line.text, job, matrix):
                            yield from _commands(repo, file, Command(line.line, text), job)
        case ScriptFacts(commands=commands):
            for line in commands:
                yield from _commands(repo, file, line, "")


def _live(keys: tuple[Key, ...]) -> Iterator[Key]:
    """Yield the keys with a value whose job is not switched off by ``if: false``."""
    off = {
        _job(key.path)
        for key in keys
        if key.path.endswith(".if") and _NEVER.match(key.value) and key.path.count(".") == 2
    }
    return (key for key in keys if key.value and _job(key.path) not in off)


def _job(path: str) -> str:
    found = _JOB.match(path)
    return found[0] if found else ""


def _filled(text: str, job: str, matrix: dict[tuple[str, str], list[Key]]) -> Iterator[str]:
    """Yield a command once for every value of the matrix axis that it names."""
    named = _MATRIX.search(text)
    values = matrix.get((job, named[1])) if named else None
    if named is None or not values:
        yield text
        return
    for value in dict.fromkeys(key.value for key in values):
        yield text.replace(named[0], value)


def _commands(repo: Repository, file: File, line: Command, job: str) -> Iterator[Step]:
    for text, origin in _expanded(repo, line.text, file.path, _DEPTH, set()):
        yield Step(file, line.line, job, "command", text, origin, argvs(text))


def _expanded(
    repo: Repository, text: str, origin: str, depth: int, seen: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield a command and, with the file that holds them, the commands behind it, each once: a
    script may name itself."""
    if (text, origin) in seen:
        return
    seen.add((text, origin))
    yield text, origin
    if depth > 0:
        for source, inner in behind(repo, text):
            for one in inner:
                yield from _expanded(repo, one, source, depth - 1, seen)
