"""Links: pages, anchors, images and included files, held against the tree."""

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from audit.docs_truth import sphinx
from audit.docs_truth.anchors import anchors
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.pages import Page
from audit.docs_truth.world import World

_ELSEWHERE: Final = re.compile(r"^([a-z][a-z0-9+.-]*:|//|\{\{|\{%|<|\$)", re.IGNORECASE)
_TEMPLATE: Final = re.compile(r"%%|\{\{|\{%|\$\{|<[a-z-]+>|^\.\.\.$|^[^/]*@[^/]*$")
_SOURCES: Final = (".md", ".mdx", ".rst", ".markdown", ".ipynb", ".txt")
_MADE: Final = ("build/", "dist/", "site/", "_build/")
_ABSOLUTE: Final = Unknown("absolute link: where the site is served from is not known")
_GENERATOR: Final = re.compile(r"^plugins\[\d+\](\.|$)|^hooks|^plugins\.")
_GENERATES: Final = (
    "gen-files", "literate-nav", "macros", "autoapi", "api-autonav", "mkapi", "monorepo", "blog",
    "redirects", "hooks", "multirepo", "techdocs", "mkdocs-jupyter", "jupyter", "tags", "gallery",
)  # fmt: skip


def _targets(page: Page, image: bool) -> Iterator[tuple[Claim, str, str]]:
    """Yield the links into the repository: claim, path, anchor."""
    for link in page.facts.links:
        target = link.target.strip()
        if link.image != image or not target or _ELSEWHERE.match(target):
            continue
        path, _, anchor = target.replace("\\", "").partition("#")
        yield Claim(page.path, link.line, target), unquote(path.partition("?")[0]), unquote(anchor)


@kind("link")
def links(world: World) -> Iterator[Judged]:
    """A link leads to a page or file that is not there."""
    for page in world.pages:
        for claim, path, _ in _targets(page, image=False):
            if path:
                yield claim, _judge(world, page, path)


@kind("image")
def images(world: World) -> Iterator[Judged]:
    """An image is not there."""
    for page in world.pages:
        for claim, path, _ in _targets(page, image=True):
            if path:
                yield claim, _judge(world, page, path)


@kind("anchor")
def page_anchors(world: World) -> Iterator[Judged]:
    """A link names a heading or label that its page does not have."""
    labels = frozenset(
        one.name for page in world.pages if page.style == "sphinx" for one in page.facts.anchors
    )
    for page in world.pages:
        for claim, path, anchor in _targets(page, image=False):
            if not anchor:
                continue
            target = _page(world, page, path)
            if target is None:
                continue
            known = anchors(target) | (labels if page.style == "sphinx" else frozenset())
            if anchor in known or anchor.lower() in known:
                yield claim, HOLDS
            elif target.generated:
                yield claim, Unknown(target.generated)
            elif anchor.startswith(("L", "__", ":~:")) or "." in anchor:
                yield claim, Unknown("an anchor that a tool makes")
            else:
                close = nearest(anchor, known)
                truth = f"{target.path} has no #{anchor}"
                yield claim, Wrong(truth, f"#{close}" if close else "")


@kind("snippet")
def snippets(world: World) -> Iterator[Judged]:
    """A file that a page includes is not there."""
    for page in world.pages:
        for line, name, included in _included(page):
            path = re.sub(r":[\w-]*(:[\d,]*)?$", "", included.lstrip("!"))
            if not path or _TEMPLATE.search(path) or path.startswith((";", "http")):
                continue
            claim = Claim(page.path, line, included)
            places = [*_bases(world, page, path, name)]
            places += [f"{folder}/{path}".lstrip("/") for folder in world.includers(page)]
            if any(world.exists(one) for one in places):
                yield claim, HOLDS
            elif any(world.ignored(one) for one in places):
                yield claim, Unknown("a file that is made, and that Git ignores")
            elif any(char in path for char in "*?["):
                yield claim, Unknown("a pattern of files")
            elif page.style == "sphinx" and sphinx.site(world, page.root).made:
                yield claim, Unknown("pages are made when the site is built")
            else:
                yield claim, Wrong(f"{path} is not a file of the repository", _like(world, path))


def _included(page: Page) -> Iterator[tuple[int, str, str]]:
    """Yield line, directive and file of what a page includes."""
    for one in page.facts.directives:
        if one.name in ("snippet", "include", "literalinclude") and one.argument:
            yield one.line, one.name, one.argument.strip()
    for fence in page.facts.fences:
        if found := re.match(r"\{(literalinclude|include)\}\s*(\S+)", fence.info):
            yield fence.line, found[1], found[2]


def includes(world: World, page: Page) -> Iterator[str]:
    """Yield the files that a page includes."""
    for _, name, path in _included(page):
        yield from (one for one in _bases(world, page, path, name) if one in world.repo.files)


def _bases(world: World, page: Page, path: str, name: str) -> Iterator[str]:
    """Yield where an included file may lie."""
    if path.startswith("/"):
        yield posixpath.normpath(f"{page.root}{path}").lstrip("/")
    folders = dict.fromkeys((page.folder, page.root, page.root.rpartition("/")[0], ""))
    for folder in folders if name == "snippet" else (page.folder,):
        yield posixpath.normpath(posixpath.join(folder, path))
    if name == "snippet":
        for _, key in world.repo.keys_of("mkdocs.yml", "mkdocs.yaml"):
            if ".base_path" in key.path and key.value:
                yield posixpath.normpath(posixpath.join(key.value, path))


@lru_cache(4)
def linked(world: World) -> frozenset[str]:
    """Return the pages that another page leads to: by a link, ``:doc:`` or ``:ref:``."""
    homes = {one.name: page for page in world.pages for one in page.facts.anchors}
    found = set()
    for page in world.pages:
        ends = [_page(world, page, path) for _, path, _ in _targets(page, image=False) if path]
        for one in page.facts.directives:
            if one.name == "doc":
                base = page.root if one.argument.startswith("/") else page.folder
                place = posixpath.normpath(posixpath.join(base, one.argument.lstrip("/")))
                ends += [world.page(f"{place}{suffix}") for suffix in _SOURCES]
            elif one.name == "ref":
                ends.append(homes.get(one.argument.lower()))
        found |= {end.path for end in ends if end is not None and end is not page}
    return frozenset(found)


# -------------------------------------------------------------------- resolution
def _judge(world: World, page: Page, path: str) -> Verdict:
    if _TEMPLATE.search(path):
        return Unknown("a link that is filled in when the page is built")
    if path.startswith("/"):
        inside = any(_found(world, one) for one in (path.lstrip("/"), f"{page.root}{path}"))
        return HOLDS if inside else _ABSOLUTE
    places = list(_places(page, path))
    places += [posixpath.normpath(posixpath.join(folder, path)) for folder in world.includers(page)]
    if any(_found(world, one) for one in places):
        return HOLDS
    if page.style == "sphinx" and _is_label(world, path):
        return HOLDS
    if not places or all(one.startswith("..") for one in places):
        return Unknown("a link out of the repository")
    if sphinx.site(world, page.root).made if page.style == "sphinx" else _generated(world, page):
        return Unknown("pages are made when the site is built")
    named = page.style == "docusaurus" or (page.style == "sphinx" and "/" not in path)
    if named and not path.endswith(_SOURCES):
        return Unknown("a name that the site resolves")
    if page.style == "doc-builder" and not places[0].startswith(f"{page.root}/"):
        return Unknown("a name that the site resolves")
    if any(world.linked(one) for one in places):
        return Unknown("a path through a symbolic link")
    if any(one.startswith(_MADE) or world.ignored(one) for one in places):
        return Unknown("a file that is made, and that Git ignores")
    return Wrong(f"{places[0]} is not in the repository", _like(world, places[0]))


def _places(page: Page, path: str) -> Iterator[str]:
    """Yield the paths that a relative link may mean: from the source, and from its address."""
    folders = [page.folder]
    if page.style == "mkdocs":
        stem = page.path.removesuffix(".md")
        folders.append(page.folder if stem.endswith("/index") else stem)
    if page.style in ("doc-builder", "docusaurus"):
        folders += [page.root, posixpath.dirname(page.root)]
    for folder in folders:
        place = posixpath.normpath(posixpath.join(folder, path))
        if not place.startswith(".."):
            yield "" if place == "." else place


def _found(world: World, place: str) -> bool:
    if world.exists(place):
        return True
    stem = re.sub(r"\.html?$", "", place)
    return any(world.exists(f"{stem}{suffix}") for suffix in _SOURCES) or any(
        world.exists(f"{stem}/{name}{suffix}".lstrip("/"))
        for name in ("index", "README")
        for suffix in _SOURCES
    )


def _page(world: World, page: Page, path: str) -> Page | None:
    """Return the page that a link leads to, None for what is no page of the repository."""
    if not path:
        return page
    if path.startswith("/") or _TEMPLATE.search(path):
        return None
    for place in _places(page, path):
        stem = re.sub(r"\.html?$", "", place)
        for name in (
            place,
            *(f"{stem}{one}" for one in _SOURCES),
            f"{stem}/index.md",
            f"{stem}/README.md",
        ):
            if (found := world.page(name)) is not None:
                return found
    return None


def _is_label(world: World, path: str) -> bool:
    return any(one.name == path.lower() for page in world.pages for one in page.facts.anchors)


def _generated(world: World, page: Page) -> bool:
    """Tell whether plugins of the site make pages."""
    for file, key in world.repo.keys_of("mkdocs.yml", "mkdocs.yaml"):
        if file.path.rpartition("/")[0] == posixpath.dirname(page.root):
            said = f"{key.path} {key.value}"
            if _GENERATOR.match(key.path) and any(one in said for one in _GENERATES):
                return True
    return False


def _like(world: World, place: str) -> str:
    """Return the file that is most like a path: of the same name elsewhere, else by spelling."""
    name = place.rpartition("/")[2]
    same = [one for one in world.repo.files if one.rpartition("/")[2] == name]
    if same:
        return min(same, key=lambda one: (-len(posixpath.commonprefix([one, place])), one))
    folder = place.rpartition("/")[0]
    beside = [one for one in world.repo.files if one.rpartition("/")[0] == folder]
    return nearest(place, beside)
