"""Documentation: site, contributing guide, changelog."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import (
    ProseFacts,
    PythonFacts,
    TextFacts,
)
from audit.practices import settings
from audit.practices.registry import Place, in_file, of_key, practice
from audit.repository import Repository
from audit.sites import File

# ---------------------------------------------------------------------------- site
OUTSIDE: Final = frozenset({"vendored", "test", "example", "generated"})


@practice(
    "docs-site",
    looks_for="mkdocs.yml, Sphinx conf.py, docusaurus, _toctree.yml, Jupyter Book, quarto",
    code=False,
)
def docs_site(repo: Repository) -> Iterator[Place]:
    """The sources of a documentation site are in the repository.

    Why:
        Docs beside the code change in the same commit and are reviewed with it.
    Fix:
        Add ``mkdocs.yml`` (or Sphinx's ``conf.py``) and move the pages under ``docs/``.
    Good:
        # file: mkdocs.yml
        site_name: Package
        nav:
          - Home: index.md
    Bad:
        # file: docs/usage.md
        # Usage

        Call train.
    """
    yield from _site_settings(repo)
    for file in repo.named("config.mts", "config.ts", "config.js", "config.mjs"):
        if file.path.split("/")[-2:-1] == [".vitepress"]:
            yield in_file(file, 1, "VitePress site")
    yield from (in_file(file, 1, "Sphinx configuration") for file in sphinx(repo))
    for name in ("docusaurus.config.js", "docusaurus.config.ts"):
        for file in repo.named(name):
            if file.words > 5:
                yield in_file(file, 1, "docusaurus site")


def _site_settings(repo: Repository) -> Iterator[Place]:
    """Yield the YAML and TOML files that lay out a site, where they name a page or a title."""
    wanted = (
        ("site_name", ("mkdocs.yml", "mkdocs.yaml"), "mkdocs site"),
        ("[0]", ("_toctree.yml",), "doc-builder site"),
        ("format", ("_toc.yml",), "Jupyter Book"),
        ("project.type", ("_quarto.yml", "_quarto.yaml"), "quarto site"),
        ("project.site_name", ("zensical.toml",), "zensical site"),
        ("project", ("myst.yml",), "MyST site"),
        ("navigation", ("mint.json", "docs.json"), "Mintlify site"),
        ("theme", ("_config.yml",), "Jekyll site"),
        ("remote_theme", ("_config.yml",), "Jekyll site"),
        ("title", ("_config.yml",), "Jekyll site"),
        ("book", ("book.toml",), "mdBook site"),
        ("root", (".gitbook.yaml",), "GitBook site"),
    )
    for prefix, names, says in wanted:
        more = ("mkdocs[-_.]*.y*ml",) if prefix == "site_name" else ()
        for file in (*repo.named(*names), *repo.find(*more)):
            first = next(settings.leaves(file, prefix), None)
            if first is not None and file.role not in OUTSIDE - {"example"}:
                yield of_key(file, first, says)


def sphinx(repo: Repository) -> Iterator[File]:
    """Yield the conf.py files that configure Sphinx: those that name a project or extensions."""
    for file in repo.named("conf.py"):
        if isinstance(file.facts, PythonFacts) and file.role not in OUTSIDE:
            named = {one.target for one in file.facts.assigns}
            if named & {":extensions", ":project"} and len(named) > 1:
                yield file


# ----------------------------------------------------------------- guide, changelog
_MIN_GUIDE_WORDS: Final = 6
"""A heading has fewer; a guide may be a pointer to where it is hosted."""


@practice(
    "docs-contributing", looks_for="a CONTRIBUTING guide in root, .github/ or docs/", code=False
)
def docs_contributing(repo: Repository) -> Iterator[Place]:
    """A guide tells contributors how to work on the project.

    Why:
        How to set up, test and propose a change is asked by everybody once.
    Fix:
        Add ``CONTRIBUTING.md`` with set-up, checks and the review process.
    Good:
        # file: CONTRIBUTING.md
        # Contributing

        Fork the repository, create a branch and install the package with its test extra. Run
        the checks with make check before you push. Keep a change small, describe why it is made,
        add a test that fails without it, and open a pull request against main.
    Bad:
        # file: CONTRIBUTING.md
        # Contributing
    """
    for file in _guides(repo):
        folder = file.path.rpartition("/")[0].lower()
        near = folder in ("", ".github") or (file.role == "docs" and _is_docs(repo, folder))
        linked = file.facts is None and not file.problem and folder in ("", ".github")
        if (near and file.words >= _MIN_GUIDE_WORDS) or linked:
            yield in_file(file, 1, "the guide for contributors")


def _guides(repo: Repository) -> Iterator[File]:
    """Yield the pages named as a guide for contributors, those in a folder of that name too."""
    yield from repo.by_stem("contributing", "contribute", "contribution", "contributions")
    yield from repo.named("how_to_contribute.md", "how-to-contribute.md", "how_to_contribute.rst")
    for file in repo.by_stem("index", "readme"):
        if file.path.lower().split("/")[-2:-1] in (["contributing"], ["contribute"]):
            yield file


def _is_docs(repo: Repository, folder: str) -> bool:
    """Tell whether a folder belongs to the docs: by its name, or as the source of a site."""
    parts = folder.split("/")
    if any(part in ("docs", "doc", "documentation", "website") for part in parts):
        return True
    return any(f"{folder}/{name}" in repo.files for name in ("_toctree.yml", "conf.py", "_toc.yml"))


_CHANGELOGS: Final = (
    "changelog", "changes", "history", "news", "releases", "release", "releasenotes", "whatsnew",
    "whats", "change",
)  # fmt: skip
_CHANGELOG: Final = re.compile(
    r"^(changelog|changes|history|news(?![a-z])|releases|release[-_ ]?(notes|history|log)|whats?[-_ ]?new"
    r"|change[-_ ]?log)(\b|(?<=news)_)"
)
_ENTRY: Final = re.compile(
    r"\bv?\d+\.\d+|\b(v|version |release )\d+\b|\bunreleased\b|\b20\d\d(\b|[01]\d)", re.IGNORECASE
)
_ROW: Final = re.compile(r"^\W{0,4}((version|release)\s)?v?(\d+\.\d+|20\d\d-\d\d)", re.IGNORECASE)
_OF_RELEASES: Final = re.compile(
    r"(^|/)(change[-_]?logs?|release[-_]?notes?|whats[-_]?new)/[^/]*\d[^/]*\.(md|mdx|rst|txt)$",
    re.IGNORECASE,
)
_MIN_LIST_WORDS: Final = 60
"""A page of entries without headings has more; a pointer to hosted releases has fewer."""


@practice("docs-changelog", looks_for="a changelog or release notes with entries", code=False)
def docs_changelog(repo: Repository) -> Iterator[Place]:
    """What changed from release to release is written down.

    Why:
        Who updates needs to know what breaks; the commit log says everything but that.
    Fix:
        Keep ``CHANGELOG.md`` with a section per release.
    Good:
        # file: CHANGELOG.md
        # Changelog

        ## 1.1.0

        - Checkpoints are verified on load.
    Bad:
        # file: CHANGELOG.md
        # Changelog
    """
    for file in repo.by_stem(*_CHANGELOGS):
        named = _CHANGELOG.match(file.name.lower()) or _is_release_list(file)
        if named and _is_kept(file) and (line := _first_entry(file)):
            yield in_file(file, line, "entries by release")
    for path, file in repo.files.items():
        if _OF_RELEASES.search(path) and _is_kept(file) and file.body_words > 0:
            yield in_file(file, 1, "the notes of a release")


def _is_kept(file: File) -> bool:
    """Tell whether a file is the repository's own, and no template or note of a tool."""
    return file.role not in OUTSIDE and not _ASIDE.search(file.path.lower())


_ASIDE: Final = re.compile(r"template|(^|/)\.(?!github/)[^/]+/")


def _is_release_list(file: File) -> bool:
    """Tell whether a RELEASE file has a section per release, and is no guide to make one."""
    headings = file.facts.headings if isinstance(file.facts, ProseFacts) else ()
    return file.name.lower().startswith("release.") and any(
        re.match(r"(release |version )?v?\d+\.\d+", one.text, re.IGNORECASE) for one in headings
    )


def _first_entry(file: File) -> int:
    """Return the line of the first heading that names a version or date, 0 for none."""
    match file.facts:
        case ProseFacts(headings=headings):
            entry = next((one.line for one in headings if _ENTRY.search(one.text)), 0)
            return entry or int(file.body_words >= _MIN_LIST_WORDS)
        case TextFacts(lines=lines):
            rows = enumerate(lines, 1)
            return next((at for at, row in rows if _ROW.match(row)), 0)
    return 0
