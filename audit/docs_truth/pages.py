"""Pages: which files document the project, how they are built, what is shown in them."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Final, Literal, TypeAlias

from audit.facts.model import DataFacts, Fence, Paragraph, ProseFacts, PythonFacts, Row
from audit.repository import Repository
from audit.sites import File

Style: TypeAlias = Literal["plain", "mkdocs", "sphinx", "doc-builder", "docusaurus"]

_HISTORY: Final = re.compile(
    r"(^|/)(change[-_ ]?log|log|changes|history|news|release[-_ ]?notes?|whats?[-_ ]?new|upgrad\w*"
    r"|migrat\w*|deprecat\w*|v\d+([-.]\d+)*(?=\.))\b[^/]*$|(^|/)(changelog|changes|news|releases|release[-_]notes|upgrade[-_]guides?"
    r"|newsfragments|changelog\.d|upgrad\w*|migrat\w*|versioned_docs|version-\d[\w.]*|v\d+\.\w+"
    r"|announce\w*|seps?|peps?|rfcs?|proposals?|adrs?|blog|posts)/",
    re.IGNORECASE,
)
_WORD_TOO: Final = re.compile(r"(^|/)(history|changes|news)\.\w+$", re.IGNORECASE)
_VERSION: Final = re.compile(r"\d+\.\d+|\b20\d\d\b|unreleased", re.IGNORECASE)
_DRAFT: Final = re.compile(r"\bstatus\W{1,8}(draft|proposed|proposal)\b", re.IGNORECASE)
_NO_PAGE: Final = re.compile(r"\.(py|toml|ya?ml|json|sh|cfg|ini|txt)(:[\w:,-]*)?$")
_MADE: Final = re.compile(r"^\{(auto|include|eval-rst|click|code-cell)|\bexec=[\"'](?!0|false|off)")
_ELSEWHERE: Final = re.compile(
    r"(^|/)(\.[\w-]+|[\w-]*templates?)/|(^|[/_-])template\.\w+$", re.IGNORECASE
)
_PAST: Final = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bbe )\bused to\b"
    r"|\b(no longer|removed|renamed|formerly|previously)\b", re.IGNORECASE,
)  # fmt: skip
_MKDOCS: Final = re.compile(r"mkdocs([-.]\w+)*\.ya?ml$")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*])|\n(?=\s*[-*] )")
SHELLS: Final = frozenset(
    "bash sh shell console zsh shell-session shellsession sh-session terminal ps1con doscon".split()
)


class Page:
    """A page of documentation."""

    def __init__(self, file: File, facts: ProseFacts, style: Style, root: str) -> None:
        self.path = file.path
        self.facts = facts
        self.style: Style = style
        self.root = root
        """The folder of the site's sources; empty for pages that belong to none."""
        self.folder = file.path.rpartition("/")[0]
        self.history = bool(_HISTORY.search(file.path)) and (
            not _WORD_TOO.search(file.path) or any(_VERSION.search(h.text) for h in facts.headings)
        )
        self.history |= any(_DRAFT.search(one.text) for one in facts.paragraphs[:2])
        """Tells what was so, or may be: changelogs, upgrade guides, drafts."""

    @cached_property
    def generated(self) -> str:
        """Why anchors are not all to be seen in the source; empty where they are."""
        for one in self.facts.directives:
            if one.name == "autodoc" or one.name.startswith("auto"):
                return "the page is partly generated from code"
            if one.name in ("snippet", "include") and not _NO_PAGE.search(one.argument):
                return "the page includes another"
        if any(_MADE.search(fence.info) for fence in self.facts.fences):
            return "the page is partly generated"
        return ""

    def paragraph(self, line: int) -> Paragraph | None:
        """Return the paragraph that holds a line."""
        for one in self.facts.paragraphs:
            if one.line <= line <= one.line + one.text.count("\n"):
                return one
        return None

    def sentence(self, line: int, words: str) -> str:
        """Return the sentence of the paragraph on a line that holds some words."""
        found = self.paragraph(line)
        if found is None:
            return ""
        return next((one for one in _SENTENCE.split(found.text) if words in one), found.text)

    def past(self, line: int, words: str) -> bool:
        """Tell whether the sentence that holds some words says what was, and is not any more."""
        return _PAST.search(self.sentence(line, words)) is not None

    def row(self, line: int) -> Row | None:
        """Return the table row that stands on a line."""
        return next((one for one in self.facts.rows if one.line == line), None)

    def table(self, row: Row) -> tuple[Row, ...]:
        """Return the rows of the table that a row belongs to, its header first."""
        return tuple(one for one in self.facts.rows if one.head == row.head)

    def heading(self, line: int) -> str:
        """Return the text of the headings above a line, the nearest last."""
        trail: dict[int, str] = {}
        for one in sorted(self.facts.headings, key=lambda one: one.line):
            if one.line > line:
                break
            trail = {level: text for level, text in trail.items() if level < one.level}
            trail[one.level] = one.text
        return " / ".join(trail[level] for level in sorted(trail))


def language(fence: Fence) -> str:
    """Return the language of a block, lower case: of ``python title="x"``, ``{.py}``."""
    found = re.match(r"^\{?\.?([\w+-]+)", fence.info)
    return found[1].lower() if found else ""


def title(fence: Fence) -> str:
    """Return the file name that a block gives itself: ``toml title="pyproject.toml"``."""
    found = re.search(r"""(?:title|file|filename|caption)=["']([^"']+)["']""", fence.info)
    return found[1] if found else ""


def pages(repo: Repository) -> tuple[Page, ...]:
    """Return the pages that document the project as it is, the README first."""
    sites = _sites(repo)
    found = []
    examples = ((one, one.facts) for one in repo.by_role("example"))
    for file, facts in (*repo.prose(), *examples):
        if isinstance(facts, ProseFacts) and not _ELSEWHERE.search(file.path):
            style, root = _site_of(file.path, sites)
            found.append(Page(file, facts, style, root))
    return tuple(found)


def _sites(repo: Repository) -> Mapping[str, Style]:
    """Return the folders of site sources with what builds them."""
    found: dict[str, Style] = {}
    for file in repo.files.values():
        folder = file.path.rpartition("/")[0]
        match file.name:
            case name if _MKDOCS.match(name) and isinstance(file.facts, DataFacts):
                values = {key.path: key.value for key in file.facts.keys}
                base = values.get("docs_dir") or "docs"
                found[f"{folder}/{base}".strip("/").removesuffix("/")] = "mkdocs"
            case "_toctree.yml":
                found[folder] = "doc-builder"
            case "docusaurus.config.js" | "docusaurus.config.ts":
                found[f"{folder}/docs".strip("/")] = "docusaurus"
            case "conf.py" if isinstance(file.facts, PythonFacts) and file.role != "vendored":
                if {":extensions", ":project"} & {one.target for one in file.facts.assigns}:
                    found.setdefault(folder, "sphinx")
    return found


def _site_of(path: str, sites: Mapping[str, Style]) -> tuple[Style, str]:
    for root in sorted(sites, key=len, reverse=True):
        if not root or path.startswith(f"{root}/"):
            return sites[root], root
    return "plain", ""


def blocks(page: Page, *languages: str) -> Iterator[Fence]:
    """Yield the blocks of some languages."""
    for fence in page.facts.fences:
        if language(fence) in languages:
            yield fence
