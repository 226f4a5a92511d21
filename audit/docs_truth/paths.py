"""Paths in prose: a code span that names a file or folder of the repository."""

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from audit.docs_truth import shell
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Wrong, nearest
from audit.docs_truth.pages import Page
from audit.docs_truth.world import World

_PATH: Final = re.compile(r"^\.?/?[\w.-]+(?:/[\w.-]+)+/?$")
_SUFFIX: Final = re.compile(
    r"\.(py|pyi|md|rst|toml|ya?ml|json|cfg|ini|sh|txt|j2|html|js|ts|css|ipynb|csv|lock)$"
)
_MADE: Final = re.compile(
    r"(^|/)(build|dist|site|out|outputs?|results?|runs?|logs?|checkpoints?|cache|\.cache|tmp|data"
    r"|datasets?|models?|weights|_build|htmlcov|venv|\.venv|node_modules|path|your[-_]?\w*|my[-_]?\w*"
    r"|_?foo|_?bar|some[-_]?\w*|example\w*|[a-z]+-id|[\w.-]*(xyz|xxx)[\w.-]*)([/.]|$)",
    re.IGNORECASE,
)
_NEW: Final = re.compile(r"(^|/|\d-)new[-_][\w-]*\.\w+$|\bto[-_]be[-_]", re.IGNORECASE)
_PLAN: Final = re.compile(r"(^|/)(designs?|plans?)/")
_COMING: Final = re.compile(r"\bwill (live|be|go|come|move|land)\b|\bplanned\b", re.IGNORECASE)
_USUAL: Final = frozenset({"src", "lib", "tests", "test", "docs", "examples"})
_EXAMPLE: Final = re.compile(
    r"\b(for example|e\.g\.|such as|for instance|add|create|put|save|copy|omit|not)\b|示例|例如"
    r"|:\s*$",  # a colon: the file itself is shown below
    re.IGNORECASE,
)


@kind("path")
def paths(world: World) -> Iterator[Judged]:
    """A path in prose is not in the repository."""
    tops = {path.partition("/")[0] for path in world.repo.files if "/" in path}
    for page in world.present:
        for span in page.facts.spans:
            text = re.sub(r"(:\d+(-\d+)?|::[\w:.\[\]-]+|#L\d+)$", "", span.text.strip())
            if not _PATH.match(text):
                continue
            claim = Claim(page.path, span.line, span.text)
            place = posixpath.normpath(text.lstrip("/") if text.startswith("/") else text)
            if _there(world, page, place):
                yield claim, HOLDS
            elif (reason := _unknown(world, place, text, tops)) is not None:
                yield claim, Unknown(reason)
            elif _EXAMPLE.search(page.sentence(span.line, span.text)):
                yield claim, Unknown("a path that may be made or meant as an example")
            elif _COMING.search(page.sentence(span.line, span.text)) or _PLAN.search(page.path):
                yield claim, Unknown("a path that is planned")
            elif place in _made(page):
                yield claim, Unknown("a file that a command of the page makes")
            elif place in world.code:
                yield claim, Unknown("a path that code names, and may write")
            elif world.ignored(place):
                yield claim, Unknown("a file that is made, and that Git ignores")
            else:
                yield claim, Wrong("no such path in the repository", _like(world, place))


def _there(world: World, page: Page, place: str) -> bool:
    """Tell whether a path exists from the root, from its page, or inside a folder above it."""
    bases = ["", page.folder, page.root]
    if any(world.exists(posixpath.normpath(posixpath.join(base, place))) for base in bases):
        return True
    top, _, below = place.partition("/")
    if top in world.own_names and world.exists(below):
        return True  # from the folder that holds the clone
    ending = f"/{place}"
    return any(one.endswith(ending) for one in world.named(posixpath.basename(place)))


def _made(page: Page) -> set[str]:
    """Return the paths that the commands of a page make."""
    return {
        posixpath.normpath(argv[-1])
        for line in shell.console(page)
        for argv in shell.started(line.text)
        if argv[0] in ("cp", "mv", "touch", "mkdir", "ln")
    }


def _unknown(world: World, place: str, text: str, tops: set[str]) -> str | None:
    """Say why a path may be none of the repository, None where it must be one."""
    parts = place.split("/")
    if text.startswith("/") or place.startswith(".."):
        return "a path outside the repository"
    if parts[0] not in tops or (parts[0].startswith(".") and not _SUFFIX.search(place)):
        return "a path that need not be of this repository"
    if _MADE.search("/".join(parts[1:]) if parts[0] in tops else place):
        return "a path that may be made or meant as an example"
    if _NEW.search(place):
        return "a path that may be made or meant as an example"
    if parts[0] in _USUAL and len(parts) > 2 and "/".join(parts[:2]) not in world.folders:
        return "a path that need not be of this repository"
    inside = len(parts) > 2 and posixpath.dirname(place) in world.folders
    if not (_SUFFIX.search(place) or text.endswith("/") or inside):
        return "a path without a suffix may be something else"
    return None


def _like(world: World, place: str) -> str:
    name = place.rpartition("/")[2]
    same = sorted(one for one in world.repo.files if one.rpartition("/")[2] == name)
    if same:
        return same[0]
    folder = posixpath.dirname(place)
    beside = [
        one for one in (*world.repo.files, *world.folders) if posixpath.dirname(one) == folder
    ]
    return nearest(place, beside)
