"""What starts from the command line: main blocks, console scripts, scripts that read options."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.repository import Repository, once
from audit.sites import Site

_MAIN: Final = re.compile(r"__name__ == '__main__'")
_TARGET: Final = re.compile(r"([\w.]+):([\w.]+)")
_SCRIPTS: Final = re.compile(r"(^|\.)(scripts|gui-scripts|console_scripts|entry_points)(\.|$)")
OPTIONS: Final = (
    "argparse.ArgumentParser", "click.command", "click.group", "typer.Typer", "fire.Fire",
    "tyro.cli", "jsonargparse.CLI", "jsonargparse.auto_cli", "hydra.main", "absl.app.run",
    "simple_parsing.ArgumentParser", "transformers.HfArgumentParser", "draccus.wrap",
    "pyrallis.wrap", "chz.entrypoint", "chz.nested_entrypoint", "docopt.docopt",
)  # fmt: skip


@once
def started(repo: Repository) -> frozenset[int]:
    """Return the functions that the command line starts, and modules that run as scripts."""
    found = set(_console_scripts(repo))
    for site in repo.all_calls:
        if site.call.scope == 0 and (_in_main(site) or _reads_options(site) or _loops(repo, site)):
            found |= set(_targets(repo, site)) or {site.module.first}
        if site.call.decorates >= 0 and site.method in ("command", "callback", "main", "wrap"):
            found.add(site.module.first + site.call.decorates)
    for site in repo.methods("set_defaults"):
        handed = (value for _, value in site.call.kwargs if value[:1] in ":.")
        found |= {repo.program.resolve(site.module, value)[1] for value in handed} - {-1}
    return frozenset(found)


def _in_main(site: Site) -> bool:
    return site.within("if", _MAIN.pattern)


def _loops(repo: Repository, site: Site) -> bool:
    """Tell whether a module that nothing imports has a loop at its top level: a script."""
    return site.within("while") and not repo.graph.callers[site.module.first]


def _reads_options(site: Site) -> bool:
    return any(name in OPTIONS for name in site.names)


def _targets(repo: Repository, site: Site) -> Iterator[int]:
    """Yield the functions of the repository that a call runs."""
    for name in site.call.names:
        for _, node in repo.program.follow(site.module, name):
            if node >= 0:
                yield node


def _console_scripts(repo: Repository) -> Iterator[int]:
    modules = {module.dotted: module for module in repo.product}
    for module_name, function in _script_targets(repo):
        home = modules.get(module_name)
        if home is not None and (node := _resolved(repo, home, function)) >= 0:
            yield node


def _resolved(repo: Repository, home: Module, function: str) -> int:
    return repo.program.resolve(home, f":{function}")[1]


def _script_targets(repo: Repository) -> Iterator[tuple[str, str]]:
    for _, key in repo.keys("pyproject.toml", "setup.cfg"):
        if _SCRIPTS.search(key.path):
            yield from _TARGET.findall(key.value)
    for module in repo.program.modules:
        if module.path == "setup.py":
            for call in module.facts.calls:
                yield from _TARGET.findall(call.keyword("entry_points") or "")
