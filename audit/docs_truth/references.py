"""References: identifiers that pages document, and cross-references between pages and code."""

import builtins
import posixpath
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Final

from audit.docs_truth import sphinx
from audit.docs_truth.anchors import anchors
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.namespace import FOREIGN
from audit.docs_truth.pages import Page
from audit.docs_truth.world import World
from audit.facts import restructured
from audit.facts.model import Directive

_AUTO: Final = re.compile(r"^auto(module|class|function|method|data|attribute|exception|property)$")
_ROLES: Final = frozenset({"class", "func", "meth", "mod", "attr", "obj", "exc", "data"})
_CURRENT: Final = frozenset({"currentmodule", "module", "py:currentmodule", "py:module"})
_FENCE: Final = re.compile(r"^\{(?:py:)?(auto\w+|currentmodule)\}\s+(\S+)")
_PYTHON: Final = frozenset(dir(builtins)) | sys.stdlib_module_names
_OF_A_CLASS: Final = frozenset({"automethod", "autoattribute", "autoproperty"})
_INSIDE: Final = Unknown("a member of the class that the page is about")
_ELSEWHERE: Final = Unknown("a reference that another project's inventory may know")
_BUILT_IN: Final = frozenset({"genindex", "modindex", "search", "py-modindex"})


@kind("identifier")
def identifiers(world: World) -> Iterator[Judged]:
    """A page documents an object that the package does not have."""
    for page in world.present:
        current = ""
        for one in directives(page):
            if one.name in _CURRENT:
                current = one.argument
            elif one.name == "autodoc" or _AUTO.match(one.name):
                name = one.argument.partition("(")[0].strip()
                member = one.name in _OF_A_CLASS and "." not in name
                if re.fullmatch(r"[\w.]+", name):
                    verdict = _INSIDE if member else _look(world, name, current, page)
                    yield Claim(page.path, one.line, name), verdict
                current = name if one.name == "automodule" else current


@cache
def _parsed(text: str) -> tuple[Directive, ...]:
    return restructured.restructured(text.encode("utf-8", "replace")).directives


def directives(page: Page) -> Iterator[Directive]:
    """Yield the directives of a page, those inside MyST blocks too, in order."""
    found = list(page.facts.directives)
    for fence in page.facts.fences:
        if named := _FENCE.match(fence.info):
            found.append(Directive(fence.line, named[1], named[2]))
        elif fence.info.startswith("{eval-rst}"):
            found += [
                Directive(fence.line + one.line, one.name, one.argument)
                for one in _parsed(fence.text)
            ]
    yield from sorted(found, key=lambda one: one.line)


def _look(world: World, name: str, current: str, page: Page) -> Verdict:
    """Look a name up as it stands, inside the current module, and inside each package."""
    spaces = [name]
    if current and not _may_be_foreign(world, name, current):
        spaces.append(f"{current}.{name}")
    if page.style == "doc-builder":
        spaces += [f"{top}.{name}" for top in sorted(world.namespace.tops)]
    verdicts = [world.namespace.look(one) for one in spaces]
    for verdict in verdicts:
        if verdict == HOLDS:
            return verdict
    known = [one for one in verdicts if one != FOREIGN]
    if verdicts[0] == FOREIGN and known and page.style == "sphinx" and sphinx.knows_more(world):
        return _ELSEWHERE
    for verdict in known:
        if isinstance(verdict, Unknown):
            return verdict
    return known[0] if known else FOREIGN


def _may_be_foreign(world: World, name: str, current: str) -> bool:
    """Tell whether a dotted name starts with what is neither ours nor of the current module."""
    first, _, rest = name.partition(".")
    if not rest or not first[:1].islower():
        return False
    return isinstance(world.namespace.look(f"{current}.{first}"), Wrong)


@kind("cross-reference")
def cross_references(world: World) -> Iterator[Judged]:
    """A cross-reference leads to an object, label or page that is not there."""
    labels = _labels(world)
    for page in world.present:
        current = ""
        for one in directives(page):
            claim = Claim(page.path, one.line, one.argument)
            name = one.argument.lstrip("~!").removesuffix("()")
            if one.name in _CURRENT or one.name == "automodule":
                current = one.argument
            elif one.name == "autoref":
                yield claim, _autoref(world, page, name)
            elif one.name == "docref" and page.style == "doc-builder":
                yield claim, _docref(world, page, name)
            elif one.name in ("meth", "attr") and "." not in name:
                yield claim, _INSIDE
            elif one.name == "data" and name.isupper():
                yield claim, Unknown("a constant that a page may define")
            elif one.name in _ROLES and re.fullmatch(r"[\w.]+", name):
                inside = "" if one.name == "mod" or name in _PYTHON else current
                yield claim, _look(world, name, inside, page)
            elif one.name == "ref":
                yield claim, _label(world, name, labels)
            elif one.name == "doc" and ":" not in one.argument:
                yield claim, _document(world, page, one.argument)


def _labels(world: World) -> frozenset[str]:
    return frozenset(one.name for page in world.pages for one in page.facts.anchors) | frozenset(
        slug for page in world.pages if page.style == "mkdocs" for slug in anchors(page)
    )


def _autoref(world: World, page: Page, name: str) -> Verdict:
    if "." in name and name.partition(".")[0] in world.namespace.tops:
        return world.namespace.look(name)
    if page.style != "mkdocs" or not _resolves_references(world):
        return Unknown("brackets that need not be a reference")
    if name in _labels(world) or name.lower() in _labels(world):
        return HOLDS
    return _ELSEWHERE


def _resolves_references(world: World) -> bool:
    return any(
        "mkdocstrings" in f"{key.path} {key.value}" or "autorefs" in f"{key.path} {key.value}"
        for _, key in world.repo.keys_of("mkdocs.yml", "mkdocs.yaml")
    )


def _docref(world: World, page: Page, name: str) -> Verdict:
    verdict = _look(world, name, "", page)
    if not isinstance(verdict, Wrong):
        return verdict
    space = world.namespace
    first, _, rest = name.partition(".")
    if len(nodes := space.classes.get(first, ())) == 1:
        found = space.member(nodes[0], rest, first) if rest and "." not in rest else HOLDS
        return found if isinstance(found, Wrong | Unknown) else HOLDS
    if not first[:1].isupper() or nodes or first in world.words:
        return Unknown("a name that may be another project's")
    close = nearest(first, space.classes)
    return Wrong(f"no package of the project has {first}", close)


def _label(world: World, name: str, labels: frozenset[str]) -> Verdict:
    if name.lower() in labels or name in _BUILT_IN:
        return HOLDS
    if ":" in name or sphinx.knows_more(world):
        return Unknown("a label that an extension of the site may know")
    return Wrong(f"no page has the label {name}", nearest(name.lower(), labels))


def _document(world: World, page: Page, argument: str) -> Verdict:
    base = page.root if argument.startswith("/") else page.folder
    place = posixpath.normpath(posixpath.join(base, argument.lstrip("/")))
    if any(world.exists(f"{place}{one}") for one in ("", ".md", ".rst", ".ipynb")):
        return HOLDS
    if page.style == "sphinx" and sphinx.site(world, page.root).made:
        return Unknown("pages are made when the site is built")
    if sphinx.knows_more(world):
        return Unknown("a page that another project's inventory may know")
    names = [one.path.rpartition(".")[0] for one in world.pages]
    return Wrong(f"{place} is not a page", nearest(place, names))
