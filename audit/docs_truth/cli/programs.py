"""Which command lines a repository offers, and the tree of each."""

from collections.abc import Iterator

from audit.code.modules import Module
from audit.docs_truth.cli import argparse_tree, typer_tree
from audit.docs_truth.cli.click_tree import ClickTrees, renamed
from audit.docs_truth.cli.model import Command, Program
from audit.docs_truth.distribution import Distribution
from audit.repository import Repository

_UNREAD = "its options are read in a way that is not followed"


def programs(repo: Repository, distribution: Distribution) -> tuple[Program, ...]:
    """Return the programs: console commands, ``python -m`` modules, scripts."""
    trees = ClickTrees(repo)
    modules = {module.dotted: module for module in repo.product}
    found: list[Program] = []
    for name, target in distribution.scripts:
        dotted, _, attribute = target.partition(":")
        home = modules.get(dotted.strip())
        if home is not None:
            attribute = attribute.partition("[")[0].strip()
            found.append(_program(repo, trees, name, home, attribute))
    for module in repo.program.modules:
        if module.role in ("product", "example", "build"):
            found += _run(repo, trees, module, found)
    return tuple(found)


def _run(
    repo: Repository, trees: ClickTrees, module: Module, scripts: list[Program]
) -> Iterator[Program]:
    """Yield the program that a module is when it is run."""
    parts = module.path.rpartition("/")
    if parts[2] == "__main__.py":
        name = module.dotted.removesuffix(".__main__")
        same = [one for one in scripts if one.command.path.startswith(f"{parts[0]}/")]
        program = _program(repo, trees, name, module, "")
        if program.style == "unknown" and same:
            program = Program((name,), same[0].style, same[0].command)
        yield program
    elif any("__name__ == '__main__'" in block.text for block in module.facts.blocks):
        program = _program(repo, trees, module.dotted, module, "")
        names = (module.dotted, parts[2])
        yield Program(names, program.style, program.command, module.path)


def _program(
    repo: Repository, trees: ClickTrees, name: str, module: Module, attribute: str
) -> Program:
    node = module.first
    if attribute:
        node = repo.program.resolve(module, f":{attribute}")[1]
    if node >= 0 and (found := _click(repo, trees, node)) is not None:
        return Program((name,), "click", renamed(found, name))
    home = repo.program.owner[node] if node >= 0 else module
    if (found := typer_tree.command(repo, name, home)) is not None:
        return Program((name,), "typer", found)
    if node >= 0 and (found := argparse_tree.command(repo, name, node)) is not None:
        return Program((name,), "argparse", found)
    return Program((name,), "unknown", Command(name, module.path, 1, gap=_UNREAD, more=_UNREAD))


def _click(repo: Repository, trees: ClickTrees, node: int, depth: int = 2) -> Command | None:
    """Return the click command that a function is, or that it runs."""
    if (own := trees.at(node)) is not None:
        return own
    program = repo.program
    module = program.owner[node]
    found: dict[str, Command] = {}
    for site in repo.calls_in(module, node - module.first) if depth else ():
        is_ours = any(program.resolve(module, name)[1] >= 0 for name in site.call.names)
        texts = (*site.call.names, *(site.call.args if is_ours else ()))
        for text in texts:
            bare = text.partition(" | ")[0].removesuffix("()")
            for candidate in (bare, bare.removesuffix(".main")):
                target = program.resolve(module, candidate)[1] if candidate else -1
                if target >= 0 and target != node:
                    inner = trees.at(target)
                    if inner is None and candidate == bare and depth > 1:
                        inner = _click(repo, trees, target, depth - 1)
                    if inner is not None:
                        found[f"{inner.path}:{inner.line}"] = inner
    groups = [one for one in found.values() if one.group]
    if len(groups) == 1:
        return groups[0]
    return next(iter(found.values())) if len(found) == 1 else None
