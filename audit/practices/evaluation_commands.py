"""Evaluation: how it is started from the command line."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Block
from audit.practices import entries
from audit.practices.evaluations import evaluations, says_evaluation
from audit.practices.loops import backward_calls, library_calls, own_name, scope_at, spread
from audit.practices.registry import Place, in_code, practice
from audit.repository import Repository

_ONLY: Final = re.compile(
    r"[.:]((eval|evaluate|evaluation|test|validate|val|do_eval|do_test|do_predict)(_only)?|"
    r"(only|just|run)_(eval|evaluate|test|validate|evaluation)|eval_mode)\b(?!\()",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(r"eval|validate")
"""Modules that are named as what evaluates."""
_BEGINS: Final = re.compile(
    r"^_*(run|main|start|execute|launch|__call__)|eval|valid|test|score|bench"
)
_LAZY: Final = ("evaluate", "simple_evaluate", "evaluate_model", "run_evaluation")


@practice("eval-cli", looks_for="a command that evaluates")
def eval_cli(repo: Repository) -> Iterator[Place]:
    """Evaluation can be started from the command line.

    A script, console command or subcommand that leads to an evaluation and not to
    training, or a switch of the training command that only evaluates.

    Why:
        A checkpoint must be measurable without running or editing the training.
    Fix:
        Add a console command (or an `--eval-only` switch) that loads a checkpoint,
        evaluates it and exits.
    Good:
        import argparse
        import torch
        @torch.no_grad()
        def evaluate(model, batches):
            return sum(model(batch).item() for batch in batches)
        def main():
            options = argparse.ArgumentParser().parse_args()
            print(evaluate(torch.load(options.model), []))
        if __name__ == "__main__":
            main()
    Bad:
        import torch
        @torch.no_grad()
        def evaluate(model, batches):
            return sum(model(batch).item() for batch in batches)
    Drop-in: codex_ml.cli.evaluate
    """
    evaluating = set(evaluations(repo)) | set(evaluator_calls(repo))
    training = {site.node for site in backward_calls(repo)}
    training |= {site.node for site, _ in library_calls(repo, "fitting") if not site.within("if")}
    found = []
    for one in entries.started(repo):
        if _starts_evaluation(repo, one, evaluating, training):
            module = repo.program.owner[one]
            line = repo.program.definition(one).line
            found.append(in_code(module, one - module.first, line, "evaluates when it is started"))
    found += [*_subcommands(repo, evaluating), *_switches(repo, evaluating, training)]
    found.sort(key=lambda one: not _NAMED.search(one.path.rpartition("/")[2]))
    yield from spread(found)


def evaluator_calls(repo: Repository) -> Iterator[int]:
    """Yield the definitions that call another library's evaluation."""
    for site, _ in library_calls(repo, "evaluators"):
        yield site.node
    for site in repo.methods(*_LAZY):
        if ":" in site.names[0]:  # a name that the package gives out lazily
            yield site.node


def _starts_evaluation(
    repo: Repository, start: int, evaluating: Collection[int], training: Collection[int]
) -> bool:
    one = repo.program.definition(start)
    if one.kind == "class" or ("." in one.name and not _BEGINS.search(own_name(one))):
        return False  # making an object, or asking a model, starts nothing
    far = repo.graph.within([start], 4, up=False)
    if not far.isdisjoint(training):
        return False
    named_so = _NAMED.search(repo.program.owner[start].dotted.rpartition(".")[2])
    near = repo.graph.within([start], 2, up=False)
    begins = one.kind == "module" or _BEGINS.search(own_name(one))
    return bool(evaluating and named_so and begins) or not near.isdisjoint(evaluating)


def _subcommands(repo: Repository, evaluating: Collection[int]) -> Iterator[Place]:
    """Yield references of command-line modules to functions named for evaluation."""
    leading = repo.graph.within(evaluating, 4, up=True)
    for module in _command_modules(repo):
        called = {name for call in module.facts.calls for name in call.names}
        for one in module.facts.references:
            node = repo.program.resolve(module, one.name)[1]
            if node in leading and one.name not in called and _is_evaluation(repo, node):
                yield in_code(module, one.scope, one.line, "has a subcommand that evaluates")


def _command_modules(repo: Repository) -> tuple[Module, ...]:
    """Return the modules with something that the command line starts."""
    found = {repo.program.owner[node].path: node for node in sorted(entries.started(repo))}
    return tuple(repo.program.owner[node] for node in found.values())


def _is_evaluation(repo: Repository, node: int) -> bool:
    one = repo.program.definition(node)
    return one.kind == "function" and says_evaluation(own_name(one)) and not one.stub


def _switches(
    repo: Repository, evaluating: Collection[int], training: Collection[int]
) -> Iterator[Place]:
    """Yield conditions on an option that makes a command evaluate only."""
    for module in _command_modules(repo):
        for block in module.facts.blocks:
            if block.kind == "if" and _ONLY.search(block.text):
                scope = scope_at(module, block.line)
                node = module.first + scope
                near = {node, *repo.graph.edges[node]}
                if node in training:
                    near = _called_under(repo, node, block)
                if not near.isdisjoint(evaluating):
                    yield in_code(module, scope, block.line, "has a switch that only evaluates")


def _called_under(repo: Repository, node: int, block: Block) -> set[int]:
    """Return what a function calls under a condition."""
    return {
        repo.program.resolve(site.module, name)[1]
        for site in repo.by_scope.get(node, ())
        if block in site.blocks()
        for name in site.call.names
    }
