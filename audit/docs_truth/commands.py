"""Commands and flags that pages show, held against the project's own command lines."""

import re
from collections.abc import Iterator
from typing import Final

from audit.docs_truth import shell
from audit.docs_truth.cli.model import Command, Program
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.pages import Page
from audit.docs_truth.world import World
from audit.practices.shell import Argv

_PLACEHOLDER: Final = re.compile(r"[<>\[\]{}$…]|\.\.\.|^[A-Z][A-Z0-9_|=-]*$|^EXPR$")
_AMBIGUOUS: Final = Unknown("a script of which there are several")
_FLAG: Final = re.compile(r"^--?[A-Za-z][\w-]*$")
_FLAG_SPAN: Final = re.compile(r"^(--[a-z][\w-]*)(?:[ =]\S.*)?$", re.IGNORECASE)
_NO_COMMAND: Final = Unknown("a command of another program")
ELSEWHERE: Final = re.compile(
    r"\b(pip|pipx|uv|git|docker|podman|pytest|conda|npm|npx|cargo|make|curl|wget|sqlite3|mypy|ruff"
    r"|python|torchrun|deepspeed|sbatch|srun|mkdocs|sphinx|tox|nox|hatch|poetry|gh|heroku|gcloud|aws"
    r"|fly|vercel|uvicorn|gunicorn|hypercorn|twine|jupyter|black|isort|coverage|pre-commit"
    r"|accelerate launch)\b"
    r"|\b(analogous|similar|equivalent) to\b|\bGNU\b"
)


@kind("command")
def console(world: World) -> Iterator[Judged]:
    """A console block shows a command or flag that the program does not have."""
    for page in world.present:
        for line in shell.console(page):
            yield from _judge_line(world, page, line)


@kind("ci-command")
def steps(world: World) -> Iterator[Judged]:
    """A YAML block runs a command or flag that the program does not have."""
    for page in world.present:
        for line in shell.steps(page):
            yield from _judge_line(world, page, line)


@kind("flag")
def flags(world: World) -> Iterator[Judged]:
    """A flag or command in prose that the program does not have."""
    for page in world.present:
        for span in page.facts.spans:
            text = span.text.strip()
            if found := _FLAG_SPAN.match(text):
                yield (
                    Claim(page.path, span.line, text),
                    _judge_flag(world, page, span.line, found[1]),
                )
            elif " " in text and not text.startswith("-"):
                line = shell.Line(span.line, text, certain=False)
                for claim, verdict in _judge_line(world, page, line):
                    if verdict is not _NO_COMMAND:
                        yield claim, verdict


def _judge_line(world: World, page: Page, line: shell.Line) -> Iterator[Judged]:
    claim = Claim(page.path, line.line, line.text)
    known = False
    for argv in shell.started(line.text):
        found = find(world, argv, line.text, page.folder)
        if found:
            known = True
            yield claim, judge(found[0], argv) if len(found) == 1 else _AMBIGUOUS
    if not known and line.certain:
        yield claim, _NO_COMMAND


def find(world: World, argv: Argv, text: str, folder: str = "") -> list[Program]:
    """Return the programs of the project that a command line may start.

    A module is started by ``-m``. A script is the one that the written path leads to, from any
    folder; without a folder it may lie beside the page or at the root.
    """
    head = argv[0]
    named = world.programs_by_name.get(head, [])
    if head in {name for name, _ in world.distribution.scripts}:
        return named[:1]
    if not head.endswith(".py"):
        return named[:1] if f"-m {head}" in text else []
    written = _written(head, text)
    if "/" in written:
        return [one for one in named if _leads_to(written, one.path)]
    place = f"{folder}/{head}".lstrip("/")
    near = [one for one in named if one.path in (head, place)]
    return near or ([] if place in world.repo.files else named)


def _written(head: str, text: str) -> str:
    """Return the path of a script as a command line gives it."""
    found = re.search(rf"[^\s\"'=]*{re.escape(head)}(?![\w.-])", text)
    return re.sub(r"^(\.{1,2}/)+", "", found[0]) if found else head


def _leads_to(written: str, path: str) -> bool:
    """Tell whether a path with folders may mean a script, from a folder of the repository or from
    outside; ``other/x.py`` is no ``x.py`` of the root, but another project's."""
    outside = written.startswith(("/", "~", "$", "<", "{"))
    return f"/{path}".endswith(f"/{written}") or (outside and written.endswith(f"/{path}"))


def judge(program: Program, argv: Argv) -> Verdict:
    """Follow the words of a command line through the tree of a program."""
    walk = _Walk(program, argv)
    return walk.verdict()


class _Walk:
    """One command line on its way through a tree."""

    def __init__(self, program: Program, argv: Argv) -> None:
        self.command = program.command
        self.title = argv[0]
        self.words = [word.strip("[]") for word in argv[1:]]
        self.outer: list[Command] = []

    def verdict(self) -> Verdict:
        """Take word after word until one is wrong or cannot be judged."""
        while self.words:
            word = self.words.pop(0)
            if word == "--" or not word:
                break
            flag, _, value = word.partition("=")
            is_flag = _FLAG.match(flag) is not None
            found = self._flag(flag, given=bool(value)) if is_flag else self._word(word)
            if found is not None:
                return found
        return HOLDS

    def _flag(self, flag: str, *, given: bool) -> Verdict | None:
        option = self.command.option(flag)
        if option is None and self.command.fallback:
            self._fall_back()
            option = self.command.option(flag)
        if option is None and not flag.startswith("--") and self._short(flag):
            return None
        if option is None:
            if self.command.gap:
                return Unknown(self.command.gap)
            if self.command.rest:
                return Unknown("what follows belongs to another program")
            return self._dead(flag)
        if not given and option.values:
            count = option.values
            while self.words and count and not _FLAG.match(self.words[0]):
                self.words.pop(0)
                count -= 1
        return None

    def _short(self, flag: str) -> bool:
        """Tell whether ``-abc`` is flags run together, or a flag with its value."""
        first = self.command.option(flag[:2])
        if first is None:
            return False
        return first.values != 0 or all(self.command.option(f"-{one}") for one in flag[1:])

    def _word(self, word: str) -> Verdict | None:
        command = self.command
        if not command.group:
            return Unknown("what follows belongs to another program") if command.rest else None
        inner = command.command(word)
        if inner is not None:
            self.outer.append(command)
            self.command = inner
            self.title = f"{self.title} {word}"
            return None
        if command.fallback and command.more:
            return Unknown(command.more)
        if command.fallback:
            self._fall_back()
            return None
        if _PLACEHOLDER.search(word):
            return Unknown("a placeholder for a command")
        if command.more or not command.commands:
            return Unknown(command.more or "its subcommands are not to be seen")
        names = [one.name for one in command.commands]
        close = nearest(word, names)
        return Wrong(
            f"{self.title} has no command {word}", f"{self.title} {close}" if close else ""
        )

    def _fall_back(self) -> None:
        inner = self.command.command(self.command.fallback)
        self.command = inner or self.command

    def _dead(self, flag: str) -> Wrong:
        known = [name for one in self.command.options for name in one.names]
        close = nearest(flag, known)
        for outer in self.outer:
            if outer.option(flag) is not None:
                close = f"{flag} before the subcommand"
        return Wrong(f"{self.title} has no option {flag}", close)


# ------------------------------------------------------------------------- prose
def _judge_flag(world: World, page: Page, line: int, flag: str) -> Verdict:
    """Look a flag up in every command line; a missing one must be known to be the project's."""
    known = world.options
    if flag in known or world.offers(flag):
        return HOLDS
    if not known:
        return Unknown("the project has no command line that is to be seen whole")
    declared = {name for name, _ in world.distribution.scripts}
    if world.reads_options_otherwise or any(
        not one.closed
        for one in world.programs
        if one.style != "unknown" or not declared.isdisjoint(one.names)
    ):
        return Unknown("not every option of the project is to be seen")
    quoted = (f"{first}{flag}{last}" for first in "\"'" for last in "\"'=")
    if flag.lstrip("-") in world.split_words or any(one in world.code for one in quoted):
        return Unknown("a flag that code handles by itself")
    context = _context(page, line)
    if ELSEWHERE.search((page.sentence(line, flag) or context).replace(flag, "")):
        return Unknown("the flag may be another program's")
    if _is_shown_elsewhere(world, page, flag):
        return Unknown("the flag may be another program's")
    if not _is_own(world, page, line, flag, context, known):
        return Unknown("the flag need not be of this project")
    return Wrong("no command of the project has this option", nearest(flag, known))


def _is_shown_elsewhere(world: World, page: Page, flag: str) -> bool:
    """Tell whether a command line of the page gives the flag to what starts a program of ours."""
    before = [
        shown.text.partition(flag)[0]
        for shown in shell.console(page)
        if re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", shown.text)
    ]
    names = {name for program in world.programs for name in program.names}
    return any(
        ELSEWHERE.search(text) and names.isdisjoint(re.findall(r"[\w.-]+", text)) for text in before
    )


def _context(page: Page, line: int) -> str:
    row = page.row(line)
    if row is not None:
        return "\n".join(" ".join(one.cells) for one in page.table(row)[:1]) + " ".join(row.cells)
    paragraph = page.paragraph(line)
    return paragraph.text if paragraph is not None else ""


def _is_own(
    world: World, page: Page, line: int, flag: str, context: str, known: dict[str, Command]
) -> bool:
    """Tell whether the words around a flag are about the project's own command line."""
    row = page.row(line)
    if row is not None:
        siblings = [
            name
            for one in page.table(row)
            for name in re.findall(r"`(--[\w-]+)", " ".join(one.cells))
            if name != flag
        ]
        if siblings and sum(one in known for one in siblings) * 2 > len(siblings):
            return True
    names = {name for program in world.programs for name in program.names if "." not in name}
    words = set(re.findall(r"[\w-]+", f"{context} {page.heading(line)}"))
    commands = {title for program in world.programs for title, _ in program.every if " " in title}
    said = f"{context} {page.heading(line)}"
    if names & words and not (names & words <= world.namespace.tops and "`" not in said):
        return True
    if any(title in said for title in commands):
        return True
    return any(name in known for name in re.findall(r"`(--[\w-]+)", context) if name != flag)
