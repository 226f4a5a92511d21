"""Device meshes of JAX: along which axes data and parameters are split."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.practices.registry import Place, at, in_code
from audit.repository import Repository, once
from audit.sites import Site

DATA: Final = re.compile(r"(?<![a-z])(data|batch|dp|replica|fsdp)(?![a-z])", re.IGNORECASE)
PARAMETERS: Final = re.compile(r"(?<![a-z])fsdp(?![a-z])", re.IGNORECASE)
MODEL: Final = re.compile(
    r"(?<![a-z])(model|tensor|tp|mp|expert|stage|pipe|pipeline|context|sequence)(?![a-z])",
    re.IGNORECASE,
)
_MESHES: Final = (
    "jax.sharding.Mesh", "jax.make_mesh", "jax.experimental.maps.Mesh",
    "jax.interpreters.pxla.Mesh", "jax.experimental.maps.mesh",
)  # fmt: skip
_NAMES: Final = re.compile(r"'(\w+)'|\.([A-Z_]+)\b")


def split_along(repo: Repository, axis: re.Pattern[str], says: str) -> Iterator[Place]:
    """Yield the meshes with an axis of that name; `says` tells what for."""
    for site in repo.calls(*_MESHES):
        if any(map(axis.search, _axes(site))):
            yield at(site, says)


def shards_parameters(repo: Repository) -> Iterator[Place]:
    """Yield meshes with an axis for parameters, and what makes such specifications."""
    says = "parameters are sharded over the mesh"
    yield from split_along(repo, PARAMETERS, says)
    modules = _of_shardings(repo)
    for module, place, one in repo.functions(r"(^|_)fsdp(_|$)"):
        if module in modules:
            yield in_code(module, place, one.line, says)


def _axes(site: Site) -> Iterator[str]:
    """Yield the names of the axes that a mesh is given."""
    names = (site.call.keyword("axis_names") or "", *site.call.args[1:])
    for text in names:
        yield from (one or other for one, other in _NAMES.findall(text))


@once
def _of_shardings(repo: Repository) -> tuple[Module, ...]:
    """Return the modules that make meshes or shardings."""
    sites = repo.calls("jax.sharding.*", *_MESHES)
    return tuple({site.module.path: site.module for site in sites}.values())
