"""Profiles: what kind of repository this is, and which practices that kind can do without.

A profile decides only what is not applicable, and only where nothing was found:
evidence always counts.
"""

import re
from typing import Final

import msgspec

from audit.repository import Repository


class Profile(msgspec.Struct, frozen=True):
    """A kind of repository."""

    title: str
    without: frozenset[str]
    """Practices that make no sense for this kind when they are absent."""


def _profile(title: str, without: str = "") -> Profile:
    return Profile(title, frozenset(without.split()))


PROFILES: Final = {
    "library": _profile("a library that others install"),
    "training-scripts": _profile(
        "scripts that train a model, run from a checkout",
        "package-typed package-extras package-scripts ci-release docs-api-reference",
    ),
    "evaluation-harness": _profile(
        "a harness that evaluates models of others",
        "finetune-merge finetune-freeze finetune-adapters serve-export tokenizer-train "
        "checkpoint-save checkpoint-load checkpoint-train-state checkpoint-resume "
        "checkpoint-best checkpoint-sharded checkpoint-async checkpoint-remote "
        "checkpoint-retention checkpoint-atomic checkpoint-integrity checkpoint-rng-state "
        "checkpoint-safe-load train-loop train-grad-accumulation train-mixed-precision "
        "train-lr-schedule train-compile train-callbacks train-early-stopping "
        "train-grad-clipping train-nonfinite-guard",
    ),
    "application": _profile(
        "a service or tool around models",
        "finetune-merge tokenizer-train docs-api-reference package-typed",
    ),
    "research-code": _profile(
        "code that accompanies a paper",
        "package-typed ci-release docs-changelog serve-http serve-container",
    ),
}

_SERVERS: Final = (
    "fastapi.FastAPI",
    "flask.Flask",
    "gradio.Blocks",
    "gradio.Interface",
    "streamlit.*",
)
_PAPER: Final = re.compile(r"arxiv\.org|@(inproceedings|article)\b", re.IGNORECASE)


def choose(repository: Repository) -> tuple[str, str]:
    """Return the profile that the evidence suggests and the reason for it."""
    distribution = _distribution(repository)
    evaluates = sum(
        1 for _ in repository.functions(r"^(evaluate|simple_evaluate|score|loglikelihood)")
    )
    trains = sum(1 for _ in repository.methods("backward"))
    if distribution and evaluates > 3 * max(trains, 1) and not trains:
        return (
            "evaluation-harness",
            f"{distribution}: evaluates in {evaluates} functions, trains in none",
        )
    if distribution:
        return "library", f"{distribution} describes an installable distribution"
    if site := next(repository.calls(*_SERVERS), None):
        return "application", f"{site.path}:{site.line} starts a server and nothing is packaged"
    for file, page in repository.prose():
        if any(_PAPER.search(link.target) for link in page.links) and "/" not in file.path:
            if any("bibtex" in one.info or "@" in one.text[:2] for one in page.fences):
                return "research-code", f"{file.path} cites a paper and nothing is packaged"
            break
    return "training-scripts", "product code is run from a checkout: nothing is packaged"


def _distribution(repository: Repository) -> str:
    """Return the file that makes the repository installable, an empty string for none."""
    if repository.key("pyproject.toml", "project.name") or repository.key(
        "pyproject.toml", "tool.poetry.name"
    ):
        return "pyproject.toml"
    for name in ("setup.cfg", "setup.py"):
        if name in repository.files:
            return name
    return ""
