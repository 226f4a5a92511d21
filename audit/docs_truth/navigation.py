"""Navigation: every page of a site can be reached from its menu, and the menu leads to pages."""

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from audit.docs_truth.kinds import kind
from audit.docs_truth.links import includes, linked
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Wrong, nearest
from audit.docs_truth.pages import Page
from audit.docs_truth.sphinx import site
from audit.docs_truth.world import World
from audit.facts.model import DataFacts, Key
from audit.sites import File

_MENU_PLUGINS: Final = re.compile(
    r"awesome|literate-nav|section-index|navigation|autonav|monorepo|blog|gen-files"
)
_BY_HAND: Final = re.compile(r"<html\b|http-equiv=.?refresh", re.IGNORECASE)
_LINKED: Final = Unknown("a page that another one leads to")
_PAGE: Final = (".md", ".mdx", ".rst", ".ipynb")


@kind("navigation")
def navigation(world: World) -> Iterator[Judged]:
    """A page is missing from the navigation, or the navigation names one that is not there."""
    for file in world.repo.named("mkdocs.yml", "mkdocs.yaml"):
        if isinstance(file.facts, DataFacts) and file.role not in ("test", "vendored", "example"):
            yield from _mkdocs(world, file, file.facts.keys)
    for file in world.repo.named("_toctree.yml"):
        if isinstance(file.facts, DataFacts):
            yield from _doc_builder(world, file, file.facts.keys)
    yield from _sphinx(world)


def _mkdocs(world: World, file: File, keys: tuple[Key, ...]) -> Iterator[Judged]:
    values = {key.path: key.value for key in keys}
    base = posixpath.dirname(file.path)
    root = posixpath.normpath(posixpath.join(base, values.get("docs_dir") or "docs"))
    menu = [key for key in keys if key.path.startswith("nav[") and key.value]
    named = {posixpath.normpath(key.value): key for key in menu if "://" not in key.value}
    dynamic = any(
        _MENU_PLUGINS.search(f"{key.path} {key.value}") for key in keys if "plugins" in key.path
    )
    sources = [one for one in world.repo.files if one.startswith(f"{root}/")]
    for name, key in named.items():
        if name.endswith(_PAGE):
            claim = Claim(file.path, key.line, name)
            if f"{root}/{name}" in world.repo.files:
                yield claim, HOLDS
            elif dynamic or world.ignored(f"{root}/{name}") or any("hooks" in k.path for k in keys):
                yield claim, Unknown("pages are made when the site is built")
            else:
                inside = [one[len(root) + 1 :] for one in sources]
                yield claim, Wrong(f"{root}/{name} is not in the repository", nearest(name, inside))
    if not menu:
        return
    apart = " ".join(values.get(one, "") for one in ("not_in_nav", "exclude_docs", "draft_docs"))
    folders = [name for name in named if not name.endswith(_PAGE)]
    included = {place for page in world.pages for place in includes(world, page)}
    for path in sources:
        name = path[len(root) + 1 :]
        if not name.endswith((".md", ".mdx")) or _matches(name, apart.split()):
            continue
        claim = Claim(path, 1, name)
        shown = path in included
        if shown or name in named or any(name.startswith(f"{one}/") for one in folders):
            yield claim, HOLDS
        elif dynamic:
            yield claim, Unknown("the navigation is made when the site is built")
        elif not (name.endswith("README.md") and f"{name[:-9]}index.md" in named):
            truth = f"{file.path} does not list it under nav"
            yield claim, _LINKED if path in linked(world) else Wrong(truth, "")


def _matches(name: str, patterns: list[str]) -> bool:
    """Tell whether a page is set apart (gitignore patterns)."""
    return any(
        fnmatchcase(f"/{name}", f"*/{one.strip('/')}")
        or fnmatchcase(f"/{name}", f"*/{one.strip('/')}/*")
        for one in patterns
        if not one.startswith("!")
    )


def _doc_builder(world: World, file: File, keys: tuple[Key, ...]) -> Iterator[Judged]:
    root = posixpath.dirname(file.path)
    named = {key.value: key for key in keys if key.path.endswith(".local")}
    stems = {
        path[len(root) + 1 :].rpartition(".")[0]: path
        for path in world.repo.files
        if path.startswith(f"{root}/") and path.endswith((".md", ".mdx"))
    }
    for name, key in named.items():
        claim = Claim(file.path, key.line, name)
        if name in stems:
            yield claim, HOLDS
        else:
            yield claim, Wrong(f"{root}/{name}.md is not in the repository", nearest(name, stems))
    for stem, path in stems.items():
        name = stem.rpartition("/")[2]
        if not name.startswith(("_", "README")) and not name.endswith("README"):
            missing = _LINKED if path in linked(world) else Wrong(f"{file.path} does not list it")
            yield Claim(path, 1, stem), HOLDS if stem in named else missing


# ------------------------------------------------------------------------ sphinx
def _sphinx(world: World) -> Iterator[Judged]:
    for root in sorted({page.root for page in world.pages if page.style == "sphinx"}):
        pages = {
            page.path.rpartition(".")[0]: page
            for page in world.pages
            if page.style == "sphinx" and page.root == root
        }
        entries = [row for page in pages.values() for row in _entries(page)]
        if not any(name.rpartition("/")[2] in ("index", "contents") for name in pages):
            continue  # the site's start lies elsewhere
        included = {name for page in pages.values() for name in _includes(page)}
        settings = site(world, root)
        reached: set[str] = set()
        for page, line, entry in entries:
            base = root if entry.startswith("/") else page.folder
            place = posixpath.normpath(posixpath.join(base, entry.lstrip("/")))
            place = re.sub(r"\.(md|rst|txt|ipynb)$", "", place)
            if any(one in entry for one in "*?["):
                reached |= {one for one in pages if fnmatchcase(one, place)}
                continue
            reached.add(place)
            claim = Claim(page.path, line, entry)
            exists = place in pages or any(world.exists(f"{place}{one}") for one in _PAGE)
            if exists or entry in ("genindex", "modindex", "search", "self") or "://" in entry:
                yield claim, HOLDS
            elif settings.made or world.ignored(place) or world.linked(place):
                yield claim, Unknown("pages are made when the site is built")
            else:
                yield claim, Wrong(f"{place} is not a page", nearest(place, pages))
        for place, page in pages.items():
            name = place.rpartition("/")[2]
            if any(fnmatchcase(page.path, f"{root}/{one}") for one in settings.apart):
                continue
            if name not in ("index", "contents", "README") and not name.startswith("_"):
                held = place in reached or page.path in included or _orphan(page)
                yield Claim(page.path, 1, name), HOLDS if held else _unlisted(world, page, name)


def _unlisted(world: World, page: Page, name: str) -> Wrong | Unknown:
    """Judge a page that no toctree lists: who is sent to it, or on from it, needs no menu."""
    if name == "404" or _BY_HAND.search(world.text_of[page.path]):
        return Unknown("a page that its address alone leads to")
    return _LINKED if page.path in linked(world) else Wrong("no toctree lists it", "")


def _entries(page: Page) -> Iterator[tuple[Page, int, str]]:
    """Yield the entries of the toctrees of a page."""
    for fence in page.facts.fences:
        rows = list(enumerate(fence.text.splitlines(), fence.line + 1))
        if fence.info.startswith("{eval-rst}"):
            rows = list(_below_toctree(rows))
        elif not fence.info.startswith("{toctree}"):
            continue
        for number, row in rows:
            entry = row.strip()
            if not entry or entry.startswith((":", "#", "---")) or re.match(r"^\w+:( |$)", entry):
                continue
            found = re.search(r"<([^>]+)>$", entry)
            yield page, number, found[1] if found else entry


def _below_toctree(rows: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the rows of the toctrees in reStructuredText inside a page of Markdown."""
    inside = False
    for number, row in rows:
        if row.strip() and not row[:1].isspace():
            inside = row.startswith(".. toctree::")
        elif inside:
            yield number, row


def _includes(page: Page) -> Iterator[str]:
    for one in page.facts.directives:
        if one.name == "include":
            yield posixpath.normpath(posixpath.join(page.folder, one.argument))
    for fence in page.facts.fences:
        if found := re.match(r"\{include\}\s*(\S+)", fence.info):
            yield posixpath.normpath(posixpath.join(page.folder, found[1]))


def _orphan(page: Page) -> bool:
    """Tell whether a page says that it stands alone."""
    return any("orphan" in one.text for one in page.facts.headings[:1]) or any(
        one.name == "orphan" for one in page.facts.directives
    )
