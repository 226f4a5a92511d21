"""Which command lines a repository offers, and the tree of each."""

from collections.abc import Iterator

from audit.code.modules import Module
from audit.docs_truth.cli import typer_tree
from audit.docs_truth.cli.argparse_tree import ArgparseTrees
from audit.docs_truth.cli.click_tree import ClickTrees, renamed
from audit.docs_truth.cli.model import Command, Program
from audit.docs_truth.distribution import Distribution
from audit.repository import Repository

_UNREAD = "its options are read in a way that is not followed"


def programs(repo: Repository, distribution: Distribution) -> tuple[Program, ...]:
    """Return the programs: console commands, ``python -m`` modules, scripts."""
    return tuple(_Programs(repo).every(distribution))


class _Programs:
    """What is known of all command lines while the programs are collected."""

    def __init__(self, repo: Repository) -> None:
        self.repo = repo
        self.clicks = ClickTrees(repo)
        self.parsers = ArgparseTrees(repo)
        self._run_by: dict[tuple[int, int], Command | None] = {}

    def every(self, distribution: Distribution) -> list[Program]:
        """Return the programs of a distribution and of the modules that can be run."""
        modules = {module.dotted: module for module in self.repo.product}
        found: list[Program] = []
        for name, target in distribution.scripts:
            dotted, _, attribute = target.partition(":")
            home = modules.get(dotted.strip())
            if home is not None:
                found.append(self._program(name, home, attribute.partition("[")[0].strip()))
        for module in self.repo.program.modules:
            if module.role in ("product", "example", "build"):
                found += self._run(module, found)
        return found

    def _run(self, module: Module, scripts: list[Program]) -> Iterator[Program]:
        """Yield the program that a module is when it is run."""
        parts = module.path.rpartition("/")
        if parts[2] == "__main__.py":
            name = module.dotted.removesuffix(".__main__")
            same = [one for one in scripts if one.command.path.startswith(f"{parts[0]}/")]
            program = self._program(name, module, "")
            if program.style == "unknown" and same:
                program = Program((name,), same[0].style, same[0].command)
            yield program
        elif _is_script(module):
            program = self._program(module.dotted, module, "")
            names = (module.dotted, parts[2])
            yield Program(names, program.style, program.command, module.path)

    def _program(self, name: str, module: Module, attribute: str) -> Program:
        owner = self.repo.program
        node = owner.resolve(module, f":{attribute}")[1] if attribute else module.first
        if self.clicks.used and node >= 0 and (found := self._click(node)) is not None:
            return Program((name,), "click", renamed(found, name))
        home = owner.owner[node] if node >= 0 else module
        if (found := typer_tree.command(self.repo, name, home)) is not None:
            return Program((name,), "typer", found)
        if node >= 0 and (found := self.parsers.command(name, node)) is not None:
            return Program((name,), "argparse", found)
        return Program((name,), "unknown", Command(name, module.path, 1, gap=_UNREAD, more=_UNREAD))

    def _click(self, node: int, depth: int = 2) -> Command | None:
        """Return the click command that a function is, or that it runs."""
        if (node, depth) not in self._run_by:
            own = self.clicks.at(node)
            self._run_by[node, depth] = own or (self._started(node, depth) if depth else None)
        return self._run_by[node, depth]

    def _started(self, node: int, depth: int) -> Command | None:
        """Return the one click command, or the one group, that a function calls or hands on."""
        program = self.repo.program
        module = program.owner[node]
        found: dict[str, Command] = {}
        for site in self.repo.calls_in(module, node - module.first):
            is_ours = any(program.resolve(module, name)[1] >= 0 for name in site.call.names)
            texts = (*site.call.names, *(site.call.args if is_ours else ()))
            for text in texts:
                bare = text.partition(" | ")[0].removesuffix("()")
                for candidate in (bare, bare.removesuffix(".main")):
                    target = program.resolve(module, candidate)[1] if candidate else -1
                    if target < 0 or target == node:
                        continue
                    deeper = candidate == bare and depth > 1
                    inner = self._click(target, depth - 1 if deeper else 0)
                    if inner is not None:
                        found[f"{inner.path}:{inner.line}"] = inner
        groups = [one for one in found.values() if one.group]
        if len(groups) == 1:
            return groups[0]
        return next(iter(found.values())) if len(found) == 1 else None


def _is_script(module: Module) -> bool:
    """Tell whether a module is to be run: it says so, or it parses arguments as it is loaded."""
    return any("__name__ == '__main__'" in block.text for block in module.facts.blocks) or any(
        call.scope == 0 and call.names[0].startswith("argparse.") and ".parse_" in call.names[0]
        for call in module.facts.calls
    )
