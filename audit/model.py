"""The frozen values that cross stages. Read this first.

A practice is a yes/no question about a repository; a capability is a group of
practices. Every belief carries its evidence, every score its arithmetic.
"""

from typing import Literal, TypeAlias

import msgspec

from audit import __version__

Role: TypeAlias = Literal[
    "product", "test", "docs", "example", "config", "ci", "build", "vendored", "generated", "data"
]
Status: TypeAlias = Literal["present", "absent", "not_applicable", "unknown"]
Rung: TypeAlias = Literal["none", "declared", "present", "wired", "tested", "documented"]
RUNGS: tuple[Rung, ...] = ("none", "declared", "present", "wired", "tested", "documented")
MAX_EVIDENCE = 12
"""Places kept for one practice, best first; more say nothing new."""
PracticeRole: TypeAlias = Literal["functionality", "safeguard"]
COMPONENTS = ("functionality", "consistency", "tests", "safeguards", "documentation")


class Value(msgspec.Struct, frozen=True, gc=False):
    """Base of all values: immutable, compared by content, encoded as an object."""


class Problem(Value, frozen=True):
    """A file that could not be audited, and why."""

    path: str
    """The file, seen from the root of the repository."""
    reason: str
    """Why it could not be audited, in one line."""


class Evidence(Value, frozen=True):
    """A place in the repository that shows a practice."""

    path: str
    """The file, seen from the root of the repository."""
    line: int
    """From 1 on."""
    symbol: str
    """The definition that holds it, or the key or heading of a file that is no code."""
    says: str
    """One line: what is to be seen there."""
    rung: Rung = "present"
    """How far it is followed: see the page on evidence."""
    code: bool = True
    """Product code, which tests can reach; false for configuration, CI, docs."""
    tested: bool = False
    """A test reaches it."""
    documented: bool = False
    """A page names it, and is not wrong about it."""
    misnamed: str = ""
    """The wrong claim of the page that names it; empty where it is documented or not named."""
    fingerprint: str = ""
    """Names the evidence wherever it stands: practice, symbol and normalised content, no line."""


class PracticeResult(Value, frozen=True):
    """What was decided about a practice."""

    id: str
    """As in the catalogue: ``checkpoint-atomic``."""
    role: PracticeRole
    """What the practice does for its capability."""
    status: Status
    """Nothing is ``absent`` that could not be looked at: that is ``unknown``."""
    rung: Rung
    """The highest rung of its evidence."""
    evidence: tuple[Evidence, ...]
    """The places that show it, the best first, at most 12."""
    looked_for: str
    """What was searched, in how many files; the reason for `unknown` and `not_applicable`."""
    page: str
    """The page that explains the practice, seen from the site's root."""
    code: bool = True
    """Decided on product code; false where configuration, CI or docs files decide."""


class Components(Value, frozen=True):
    """The five component scores, each from 0 to 1."""

    functionality: float
    """The share of the functionality practices that are present."""
    consistency: float
    """1 less the share of the evidence's code that stands elsewhere, too."""
    tests: float
    """The share of the evidence that tests reach."""
    safeguards: float
    """The share of the safeguard practices that are present."""
    documentation: float
    """The share of the evidence that pages name, and name truthfully."""


class Term(Value, frozen=True):
    """One summand of a score: ``weight · min(value, cap)`` and how the value came about."""

    component: str
    """Which component it is."""
    value: float
    """The component, from 0 to 1."""
    weight: float
    """Its weight; those of all components sum to 1."""
    cap: float
    """What the value counts at most."""
    because: str
    """How the value came about, in words."""


class CapabilityResult(Value, frozen=True):
    """A capability with its score; `interval` is its range if unknowns were known."""

    id: str
    """As in the catalogue: ``checkpointing``."""
    status: Literal["present", "absent", "not_applicable"]
    """``absent`` where no functionality practice is present: its score is 0."""
    score: float
    """From 0 to 1: the sum of the arithmetic."""
    interval: tuple[float, float]
    """The lowest and highest score that the unknown practices leave open."""
    components: Components
    """The values that the score is made of."""
    practices: tuple[PracticeResult, ...]
    """What was decided about each of its practices."""
    arithmetic: tuple[Term, ...] = ()
    """The summands of the score, one for each component."""
    reason: str = ""
    """Why it is not applicable; empty where it is."""


class Gap(Value, frozen=True):
    """Something that would raise a score, with the exact gain."""

    practice: str
    """The missing practice; empty where a component is to be raised."""
    capability: str
    action: str
    gain: float
    """By how much the capability's score would rise, all else unchanged."""
    mean_gain: float
    where: str
    """The file, and where known the symbol, in which the fix goes."""
    page: str
    drop_in: str
    """The `codex_ml` object that closes it; empty where there is none."""


class Cluster(Value, frozen=True):
    """Product modules that belong together, for finding one's way."""

    name: str
    files: int
    lines: int
    libraries: tuple[str, ...]
    """What its modules import most, outside the repository."""


class Facets(Value, frozen=True):
    """S2: how many files play each role, and the domains of the product."""

    roles: dict[str, int]
    clusters: tuple[Cluster, ...]


class IndexedFile(Value, frozen=True, omit_defaults=True):
    """A file as the index artefact lists it."""

    path: str
    role: Role
    blob: str
    facts: str = ""
    """What was extracted, e.g. ``python: 12 definitions, 40 calls``."""
    problem: str = ""


class Tool(Value, frozen=True):
    """Who wrote a report."""

    name: str
    """``codex-audit``."""
    version: str
    """The version of the distribution."""


SCHEMA_VERSION = 1
TOOL = Tool("codex-audit", __version__)


class SourceInfo(Value, frozen=True):
    """What was audited."""

    root_name: str
    """The name of the repository's folder."""
    revision: str
    """The commit's id; empty outside of Git."""
    tree: str
    """SHA-256 over kind, blob id and path of every file, uncommitted changes included."""
    dirty: bool
    """Files differ from the commit."""


class Index(Value, frozen=True):
    """S1: what was audited, file by file."""

    source: SourceInfo
    files: tuple[IndexedFile, ...]
    problems: tuple[Problem, ...]


class Decisions(Value, frozen=True):
    """S3: every practice of every capability, before any score."""

    source: SourceInfo
    profile: str
    profile_reason: str
    capabilities: tuple[tuple[str, tuple[PracticeResult, ...]], ...]
    duplicated: dict[str, float]
    """Symbol of the evidence → the share of its code that stands elsewhere too."""
    warnings: tuple[str, ...]


class Waiver(Value, frozen=True, forbid_unknown_fields=True):
    """A practice that a team goes without, for a reason, until a date."""

    practice: str
    """The id of the practice."""
    reason: str
    """Why the team goes without it."""
    owner: str
    """Who answers for it."""
    expires: str
    """ISO 8601 date, the first day on which the waiver no longer counts."""


class Rule(Value, frozen=True, forbid_unknown_fields=True):
    """A practice that a configuration declares: present where one of its queries finds a place."""

    id: str
    capability: str
    """One of the catalogue, or a new one."""
    role: PracticeRole
    title: str
    why: str
    fix: str
    calls: tuple[str, ...] = ()
    """Dotted names that product code calls, aliases resolved; ``pkg.*`` takes any rest."""
    keywords: tuple[str, ...] = ()
    """Keywords that a call in product code is given."""
    bases: tuple[str, ...] = ()
    """Dotted names of classes that a class of the product is derived from."""
    files: tuple[str, ...] = ()
    """Globs of files."""
    keys: tuple[str, ...] = ()
    """``file glob:key glob`` of configuration files: ``pyproject.toml:tool.ruff.*``."""
    commands: tuple[str, ...] = ()
    """Programs that CI starts, make targets followed, with words among their arguments:
    ``ruff check``."""


class Matrix(Value, frozen=True):
    """S4 and S6: the capability matrix, the contract of ``capability_matrix.json``.

    `template_hash` is empty until S6 renders it.
    """

    schema_version: int
    """Rises when a key goes or changes its meaning."""
    tool: Tool
    """Who wrote it."""
    source: SourceInfo
    """What was audited."""
    template_hash: str
    """SHA-256 over the templates; empty until they are rendered."""
    config_hash: str
    """SHA-256 over the configuration, defaults included."""
    catalogue_hash: str
    """SHA-256 over the definitions of the practices."""
    weights: dict[str, float]
    """By component, normalised."""
    thresholds: dict[str, float]
    """As configured: the gate's bars, by capability, ``mean`` and ``minimum``."""
    profile: str
    """What kind of repository it is taken for."""
    profile_reason: str
    """What showed that."""
    mean: float
    """Of the scores of the applicable capabilities."""
    minimum: float
    """The lowest of them."""
    capabilities: tuple[CapabilityResult, ...]
    """In the order of the catalogue."""
    problems: tuple[Problem, ...]
    """The files that could not be audited."""
    warnings: tuple[str, ...]
    """What a reader of the scores should know."""
    waivers: tuple[Waiver, ...] = ()
    """As configured; the scores do not know them, and no report asks the clock whether they
    still count: only the gate does."""


class Outcome(Value, frozen=True):
    """All that a run found; every report is rendered from it."""

    index: Index
    decisions: Decisions
    matrix: Matrix
    facets: Facets | None
    """Nothing in a fast run."""
    gaps: tuple[Gap, ...]
    timings: tuple[tuple[str, float], ...] = ()
    """Stage and seconds: for the screen, never in an artefact."""


class Blame(Value, frozen=True):
    """The commit that made a change; without an id the uncommitted changes did."""

    commit: str
    subject: str
    files: tuple[str, ...]
    """What it did to which file: ``deleted a.py``, ``a.py → b.py``."""
    undone: bool = False
    """Only the old revision has the commit: the change is that the new one lacks it."""


class Broken(Value, frozen=True):
    """A rule of the gate that does not hold, and the smallest change that would make it."""

    rule: str
    says: str
    cure: str
    practice: str = ""
    """The practice it is about; empty for a rule about scores."""
    evidence: tuple[Evidence, ...] = ()
    """What disappeared."""
    blame: Blame | None = None
    """Where the rule looks back at another revision: what broke it."""


class Waived(Value, frozen=True):
    """What would be broken without a waiver."""

    says: str
    waiver: Waiver


class Decision(Value, frozen=True):
    """What the gate decides."""

    broken: tuple[Broken, ...]
    waived: tuple[Waived, ...]
    notes: tuple[str, ...] = ()
    """What breaks no rule and should be known: a slack baseline, a loosened policy."""

    @property
    def holds(self) -> bool:
        """Whether every rule holds."""
        return not self.broken
