"""S2: index → roles and the domains of the product, for finding one's way."""

from collections import Counter
from collections.abc import Sequence

from audit.code.modules import Module
from audit.model import Cluster, Facets
from audit.repository import Repository
from audit.sites import File

LIBRARIES = 5


def facets(repository: Repository, files: Sequence[File]) -> Facets:
    """Return how many files play each role and the product's clusters by folder."""
    roles = Counter(one.role for one in files)
    groups: dict[str, list[Module]] = {}
    for module in repository.product:
        groups.setdefault(_domain(module.path), []).append(module)
    tops = {module.dotted.partition(".")[0] for module in repository.product}
    clusters = tuple(_cluster(name, groups[name], tops) for name in sorted(groups))
    return Facets(dict(sorted(roles.items())), clusters)


def _domain(path: str) -> str:
    """Return the folder at a package's first level: ``src/pkg/models`` of a deeper path."""
    folders = path.split("/")[:-1]
    depth = 3 if folders[:1] == ["src"] else 2
    return "/".join(folders[:depth]) or "."


def _cluster(name: str, modules: Sequence[Module], tops: set[str]) -> Cluster:
    imported = Counter(
        target.partition(".")[0]
        for module in modules
        for target in {one.target for one in module.facts.imports}
        if not target.startswith(".") and target.partition(".")[0] not in tops
    )
    common = sorted(imported.items(), key=lambda row: (-row[1], row[0]))[:LIBRARIES]
    lines = sum(module.facts.lines for module in modules)
    return Cluster(name, len(modules), lines, tuple(library for library, _ in common))
