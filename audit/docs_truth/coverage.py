"""Coverage: what exists and is documented nowhere, where the like of it is documented.

That a page means to be complete is known only where it names half of what there is.
"""

import re
from collections.abc import Iterable, Iterator

from audit.docs_truth import environment, exit_codes, keys
from audit.docs_truth.cli.model import Program
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Wrong
from audit.docs_truth.pages import Page
from audit.docs_truth.references import directives
from audit.docs_truth.world import World

_GENERATOR = re.compile(
    r"(mkdocs-\w+|click|typer|argparse|program-output|command-output|mkdocs-click|typer-cli)\b"
)
_PARTLY = Unknown("one of a group that the documentation does not list")


def _judged(claims: Iterable[tuple[Claim, bool]], noun: str) -> Iterator[Judged]:
    """Judge a group: where at least half of it is documented, all of it must be."""
    rows = list(claims)
    complete = sum(said for _, said in rows) * 2 >= len(rows)
    for claim, said in rows:
        yield claim, HOLDS if said else Wrong(f"no page names this {noun}") if complete else _PARTLY


@kind("undocumented-option")
def options(world: World) -> Iterator[Judged]:
    """An option of a command is documented nowhere."""
    said = {_plain(one) for one in re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", world.prose)}
    seen: set[tuple[str, int]] = set()
    for program in world.programs:
        if not _is_offered(world, program):
            continue
        for _, command in program.every:
            rows = []
            for one in command.options:
                if not one.hidden and (one.path, one.line) not in seen:
                    seen.add((one.path, one.line))
                    longest = max(one.names, key=len)
                    rows.append(
                        (Claim(one.path, one.line, longest), _is_in(world, said, one.names))
                    )
            yield from _judged(rows, "option")


def _plain(flag: str) -> str:
    return flag.replace("_", "-")


def _is_in(world: World, said: set[str], names: Iterable[str]) -> bool:
    """Tell whether a page names an option, or writes its name of several words without dashes."""
    bare = (one.lstrip("-").replace("-", "_") for one in names)
    return any(_plain(one) in said for one in names) or any(
        "_" in one and one in world.prose_words for one in bare
    )


def _is_offered(world: World, program: Program) -> bool:
    """Tell whether a program is the project's own and some page names it."""
    home = world.repo.files.get(program.command.path)
    if program.style == "unknown" or home is None or home.role != "product":
        return False
    if any(_GENERATOR.match(one) for page in world.present for one in _generators(page)):
        return False
    name = program.names[0]
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", world.prose) is not None


def _generators(page: Page) -> Iterator[str]:
    yield from (one.name for one in page.facts.directives)
    yield from (one.argument for one in page.facts.directives if one.name == "autodoc")
    yield from (fence.info.lstrip("{") for fence in page.facts.fences)
    yield from ("command-output" for fence in page.facts.fences if 'exec="' in fence.info)


@kind("undocumented-environment")
def variables(world: World) -> Iterator[Judged]:
    """An environment variable that code reads is documented nowhere."""
    rows = (
        (Claim(path, line, name), name in world.prose_words)
        for name, (path, line) in sorted(environment.read(world).items())
    )
    yield from _judged(rows, "environment variable")


@kind("undocumented-config-key")
def config_keys(world: World) -> Iterator[Judged]:
    """A configuration key that is accepted is documented nowhere."""
    form = keys.accepted(world)
    if form is not None:
        said = world.prose_words
        rows = (
            (Claim(form.path, _field_line(world, form.path, form.name, name), name), name in said)
            for name in sorted(form.keys)
        )
        yield from _judged(rows, "configuration key")


def _field_line(world: World, path: str, owner: str, name: str) -> int:
    for module in world.repo.product:
        if module.path == path:
            for one in module.facts.assigns:
                if one.target == name and module.facts.definitions[one.scope].name == owner:
                    return one.line
    return 1


@kind("undocumented-exit-code")
def codes(world: World) -> Iterator[Judged]:
    """An exit code is documented nowhere."""
    numbers = {value for page in world.present for _, value, _ in exit_codes.said(page)}
    yield from _judged(
        (
            (Claim(one.path, one.line, f"{one.value} {one.name}"), _is_said(world, one, numbers))
            for one in exit_codes.codes(world)
        ),
        "exit code",
    )


def _is_said(world: World, one: exit_codes.Code, numbers: set[str]) -> bool:
    return one.value in numbers or (one.name in world.prose_words and len(one.name) > 3)


@kind("undocumented-symbol")
def symbols(world: World) -> Iterator[Judged]:
    """A public object (of ``__all__``) is documented nowhere."""
    generated = {
        one.argument
        for page in world.present
        for one in directives(page)
        if one.name in ("autodoc", "automodule")
    }
    space = world.namespace
    inside = _members(world, {one.rpartition(".")[2] for one in generated})
    for top in sorted(space.tops):
        module = space.modules[top]
        rows = []
        for name in module.facts.exports:
            if not name.startswith("_"):
                node = space.resolve(f"{top}.{name}")
                home = world.repo.program.owner[node].dotted if isinstance(node, int) else top
                shown = name in world.prose_words or name in inside
                shown = shown or home in generated or top in generated
                rows.append((Claim(module.path, _line(module.facts.imports, name), name), shown))
        yield from _judged(rows, "public object")


def _members(world: World, names: set[str]) -> set[str]:
    """Return what the classes define that pages document whole."""
    return {
        one.name.rpartition(".")[2]
        for module in world.repo.product
        for one in module.facts.definitions
        if one.name.partition(".")[0] in names
    }


def _line(imports: Iterable[object], name: str) -> int:
    return next((one.line for one in imports if getattr(one, "name", "") == name), 1)  # type: ignore[attr-defined]
