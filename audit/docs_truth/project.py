"""What the project's own files declare: make targets, extras, entry-point groups."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from audit.docs_truth import shell
from audit.docs_truth.distribution import normal
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Authority, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.pages import Page, blocks
from audit.docs_truth.world import World
from audit.facts.model import ScriptFacts, Span

_MAKE_SPAN: Final = re.compile(r"^make( [\w=./-]+)+$")
_INSTALL: Final = re.compile(
    r"\b(pip3?|pipx|uv|uvx|poetry|pdm) .*\b(install|add|run|tool)\b|\buvx "
)
_REQUIREMENT: Final = re.compile(r"(?<![\w/])(\.|[A-Za-z][\w.-]*)\[([\w,\s.-]+)\]")
_GROUP_TABLES: Final = (("project", "entry-points"), ("tool", "poetry", "plugins"))
_GROUP: Final = re.compile(r"entry[- ]points?[- ]group|\bgroup `", re.IGNORECASE)
_ELSEWHERE: Final = Unknown("a target of another project's Makefile")
_FOREIGN: Final = Unknown("an entry-point group of another project")


def _lines(page: Page) -> Iterator[shell.Line]:
    """Yield the commands of a page: of its blocks, its YAML steps and its code spans."""
    yield from shell.console(page)
    yield from shell.steps(page)
    for span in page.facts.spans:
        yield shell.Line(span.line, span.text.strip(), certain=False)


# ------------------------------------------------------------------ make targets
@kind("make-target")
def make_targets(world: World) -> Iterator[Judged]:
    """A page runs a make target that no Makefile has."""
    authority = _targets(world)
    for page in world.present:
        away = set(_away(world, page))
        for line in _lines(page):
            if "make" not in line.text or (not line.certain and not _MAKE_SPAN.match(line.text)):
                continue
            for argv in shell.started(line.text):
                if argv[0] in ("make", "gmake"):
                    for target in _asked(argv):
                        verdict = _ELSEWHERE if line.line in away else authority.judge(target)
                        yield Claim(page.path, line.line, line.text), verdict


def _away(world: World, page: Page) -> Iterator[int]:
    """Yield the lines of blocks that have gone into a folder of another project."""
    for fence in page.facts.fences:
        gone = False
        for line in shell.lines(fence):
            for argv in shell.started(line.text):
                if argv[0] == "cd" and len(argv) > 1:
                    name = argv[1].rstrip("/").rpartition("/")[2]
                    gone = name not in (*world.own_names, ".", "..") and not world.named(name)
            if gone:
                yield line.line


def _asked(argv: tuple[str, ...]) -> Iterator[str]:
    words = iter(argv[1:])
    for word in words:
        if word in ("-C", "-f", "-j"):
            next(words, None)
        elif re.fullmatch(r"[\w./-]+", word) and not word.startswith("-"):
            yield word


def _targets(world: World) -> Authority:
    known: set[str] = set()
    files = [
        file
        for file in world.repo.named("makefile", "gnumakefile")
        if isinstance(file.facts, ScriptFacts) and file.role not in ("vendored", "test")
    ]
    for file in files:
        assert isinstance(file.facts, ScriptFacts)
        known |= {one.name for one in file.facts.targets}
    if not files:
        return Authority("a make target", None, "the project has no Makefile")
    included = re.search(r"^-?include\b|^\$\(eval", "\n".join(world.texts(files)), re.MULTILINE)
    if included or any(re.fullmatch(r"\$[({]\w+[)}]|[\w-]*%[\w-]*", one) for one in known):
        return Authority("a make target", None, "targets of the Makefile are computed")
    return Authority(f"a target of {files[0].path}", frozenset(known))


# ------------------------------------------------------------------------ extras
@kind("extra")
def extras(world: World) -> Iterator[Judged]:
    """A page installs an extra that the project does not declare."""
    known = world.distribution
    authority = Authority(
        f"an extra of {known.name}", known.extras, "the extras are not declared where one can see"
    )
    for page in world.present:
        for line in _lines(page):
            if not _INSTALL.search(line.text):
                continue
            for found in _REQUIREMENT.finditer(line.text):
                here = found[1] == "." and not _inside_another(world, page)
                if here or normal(found[1]) == known.name:
                    for name in found[2].split(","):
                        if re.fullmatch(r"(?!extras?\d*$|my|your)[a-z][\w.-]*", name.strip()):
                            claim = Claim(page.path, line.line, line.text)
                            yield claim, authority.judge(normal(name))


def _inside_another(world: World, page: Page) -> bool:
    """Tell whether a page lies in a project inside the repository: ``.`` may mean that."""
    folder = page.folder
    while folder:
        if any(f"{folder}/{one}" in world.repo.files for one in ("pyproject.toml", "setup.py")):
            return True
        folder = folder.rpartition("/")[0]
    return False


# ----------------------------------------------------------- entry-point groups
@kind("entry-point-group")
def groups(world: World) -> Iterator[Judged]:
    """A page fills an entry-point group that the project neither declares nor reads."""
    for page in world.present:
        for line, name in _groups(page):
            yield Claim(page.path, line, name), _group(world, name)


def _groups(page: Page) -> Iterator[tuple[int, str]]:
    """Yield the groups in TOML blocks, in calls of setup(), in sentences on entry points."""
    for fence in blocks(page, "toml"):
        for *_, name in _tables(fence.text):
            place = fence.text.find(name)
            yield fence.line + 1 + fence.text.count("\n", 0, max(place, 0)), name
    for fence in blocks(page, "python", "py", "ini", "cfg"):
        for found in re.finditer(r"entry_points\s*=\s*\{([^}]*)\}", fence.text):
            for name in re.findall(r"[\"']([\w.-]+)[\"']\s*:", found[1]):
                yield fence.line + 1 + fence.text.count("\n", 0, found.start()), name
    for span in page.facts.spans:
        if re.fullmatch(r"[a-z][\w-]*(\.[a-z][\w-]*)+", span.text) and names_group(page, span):
            yield span.line, span.text


def names_group(page: Page, span: Span) -> bool:
    """Tell whether the words around a code span say that it is an entry-point group."""
    row = page.row(span.line)
    said = page.sentence(span.line, span.text)
    if row is not None:
        said = page.table(row)[0].cells[0]
        if row.cells[0].strip("` ") != span.text:
            return False
    return _GROUP.search(said) is not None


def _tables(text: str) -> Iterator[tuple[str, ...]]:
    try:
        document: Any = tomllib.loads(text)
    except ValueError:
        return
    for table in _GROUP_TABLES:
        inner = document
        for part in table:
            inner = inner.get(part, {}) if isinstance(inner, dict) else {}
        for name in inner if isinstance(inner, dict) else ():
            yield (*table, name)


def _group(world: World, name: str) -> Verdict:
    first = re.split(r"[._-]", name)[0]
    own = {re.split(r"[._-]", one)[0] for one in world.own_names}
    if name in world.distribution.groups or f'"{name}"' in world.code or f"'{name}'" in world.code:
        return HOLDS
    if first not in own or name in ("console_scripts", "gui_scripts"):
        return _FOREIGN
    if re.search(rf"[\"']{re.escape(first)}[\w-]*\.(?:[\"'{{%])", world.code):
        return Unknown("groups whose names are put together")
    known = set(world.distribution.groups)
    known |= set(re.findall(rf"[\"']({re.escape(first)}[\w-]*(?:\.[\w-]+)+)[\"']", world.code))
    return Wrong("the project neither declares nor reads this group", nearest(name, known))
