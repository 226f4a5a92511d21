"""Python blocks: what they import, call and pass, held against the package."""

import re
from collections.abc import Iterator
from functools import lru_cache
from textwrap import dedent
from typing import Final

from audit.code.modules import Module
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.namespace import FOREIGN
from audit.docs_truth.pages import blocks
from audit.docs_truth.world import World
from audit.facts import python
from audit.facts.extractors import REFUSALS
from audit.facts.model import Fence, PythonFacts

PYTHON: Final = ("python", "py", "python3", "pycon", "ipython", "python-repl", "py3")
_IMPORT: Final = re.compile(r"^\s*import\s+([\w.]+(?:\s*,\s*[\w.]+)*)\s*(?:#.*)?$", re.MULTILINE)
_ABSTRACT: Final = "metaclass=abc.ABCMeta"
_HEAD: Final = re.compile(r"^([A-Za-z_][\w.]*)(\(\))?(?:\.(\w+))?")


def source(fence: Fence) -> str:
    """Return the code of a block on its own lines: prompts taken off, output left out."""
    rows = fence.text.split("\n")
    if any(row.lstrip().startswith(">>>") for row in rows):
        return "\n".join(
            found[1]
            if (found := re.match(r"^\s*(?:>>>|\.\.\.)(?: (.*))?$", row)) and found[1]
            else ""
            for row in rows
        )
    return dedent("\n".join("" if re.match(r"^\s*[!%]", row) else row for row in rows))


@kind("python-name")
def names(world: World) -> Iterator[Judged]:
    """A Python block imports, calls or passes what the package does not have."""
    for page in world.present:
        for fence in blocks(page, *PYTHON):
            code = source(fence)
            if not any(top in code for top in world.namespace.tops):
                continue
            facts = _facts(code)
            if facts is None:
                claim = Claim(page.path, fence.line, code.strip().partition("\n")[0])
                yield claim, Unknown("a block that is no Python as it stands")
                continue
            for line, text, verdict in _verdicts(world, facts, code):
                if verdict != FOREIGN:
                    yield Claim(page.path, fence.line + line, text), verdict


@lru_cache(4096)
def _facts(code: str) -> PythonFacts | None:
    """Return what a block says, nothing for what is no Python; a history has most of them at
    every commit."""
    try:
        return python.extract(code.encode("utf-8", "replace"))
    except REFUSALS:
        return None


def _verdicts(world: World, facts: PythonFacts, code: str) -> Iterator[tuple[int, str, Verdict]]:
    look = world.namespace.look
    for found in _IMPORT.finditer(code):
        for name in re.split(r"\s*,\s*", found[1]):
            yield code.count("\n", 0, found.start(1)) + 1, f"import {name}", look(name)
    for one in facts.imports:
        target = one.target.removesuffix(".*")
        if "." in target and not target.startswith("."):
            yield one.line, f"import {target}", look(target)
    rows = code.split("\n")
    bound = {one.name for one in facts.imports}
    for name, line in dict.fromkeys(_used(facts)):
        verdict = _name(world, name)
        if isinstance(verdict, Wrong) and not _is_written(rows[line - 1], verdict.truth, bound):
            verdict = Unknown("a value whose origin a reader has to follow")
        yield line, name, verdict
    for call in facts.calls:
        passed = _arguments(world, call.names[0], call.kwargs) if len(call.names) == 1 else None
        if passed is not None:
            yield call.line, call.names[0], passed


def _used(facts: PythonFacts) -> Iterator[tuple[str, int]]:
    """Yield the names that are called, read or derived from, where they are unambiguous."""
    for call in facts.calls:
        if len(set(call.names)) == 1:
            yield call.names[0], call.line
    for one in facts.references:
        yield one.name, one.line
    for definition in facts.definitions:
        for base in definition.bases:
            yield base, definition.line


def _is_written(row: str, truth: str, bound: set[str]) -> bool:
    """Tell whether a line names the missing attribute on something imported: facts see
    through ``model = x.train(); model.save()`` to ``x.save``."""
    missing = truth.rpartition(" ")[2]
    found = re.findall(rf"([\w.]+(?:\([^()]*\))?)\.{missing}\b", row)
    return not found or any(re.split(r"[.(]", one)[0] in bound for one in found)


def _name(world: World, text: str) -> Verdict:
    """Look up ``package.name`` and one attribute of what calling a class gives."""
    found = _HEAD.match(text)
    if found is None or "." not in found[0]:
        return FOREIGN
    verdict = world.namespace.look(found[1])
    if verdict != HOLDS or not (found[2] and found[3]):
        return verdict
    node = world.namespace.resolve(found[1])
    if isinstance(node, int) and world.repo.program.definition(node).kind == "class":
        member = world.namespace.member(node, found[3], found[1])
        if isinstance(member, Wrong) and world.namespace.derived_has(node, found[3]):
            return Unknown("a member of a derived class")
        return member if isinstance(member, Wrong | Unknown) else HOLDS
    return verdict


def _arguments(world: World, name: str, keywords: tuple[tuple[str, str], ...]) -> Verdict | None:
    """Hold the keyword arguments of a call against the signature."""
    if not keywords or not re.fullmatch(r"[A-Za-z_][\w.]*", name):
        return None
    node = world.namespace.resolve(name)
    if isinstance(node, Module) or not isinstance(node, int):
        return None
    known = parameters(world, node)
    if known is None:
        return None
    for keyword, _ in keywords:
        if keyword not in known and keyword != "**":
            return Wrong(f"{name} takes no {keyword}", nearest(keyword, known))
    return HOLDS


def parameters(world: World, node: int) -> frozenset[str] | None:
    """Return the keywords that a function or class takes, None where they are not all known."""
    program = world.repo.program
    one = program.definition(node)
    if one.kind == "class":
        derived = (*one.bases, *program.ancestry(node))
        if one.decorators or any("=" in base for base in derived if base != _ABSTRACT):
            return None  # a metaclass may take arguments for itself
        node = program.method(node, "__init__")
        if node < 0:
            return None
        one = program.definition(node)
    if one.decorators or "^" in one.kinds or not one.kinds:
        return None
    pairs = zip(one.params, one.kinds, strict=False)
    return frozenset(name for name, letter in pairs if letter in ".k")
