"""Write the page of the weakest capabilities of the labelled catalogue repositories.

Usage: python tools/weakest.py TREES [--page FILE] [--check FILE]

TREES holds one checkout per label file of the catalogue, named like it, at the commit that it
names. Each is audited with default settings. Prints the page; with --page writes it, with
--check compares it and exits with 1 where it differs.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from audit.model import CapabilityResult, Matrix, PracticeResult

LABELS = Path(__file__).parents[1] / "benchmarks" / "labels" / "catalogue"
SHOWN = 3
ABOUT = """\
# Weakest capabilities

The test of a score is whether the people who know the code agree with what it calls weak. For each of the \
twelve repositories of the catalogue this page shows the mean and the three applicable capabilities with the \
lowest score, with what was looked for and not found, what was found, and what the labels say, which were made by \
reading the code without the audit. Among capabilities with one score that with the most missing practices is \
named first.

A low score is no verdict on a project: a teaching repository leaves out servers and lock files on purpose, and \
[configuration](../reference/configuration.md) can say so (`not_applicable`, with a reason). It says what somebody \
who takes the code as it is has to bring.

```bash
python tools/weakest.py TREES --page docs/explanation/weakest.md
```
"""


def audited(tree: Path) -> Matrix:
    """Return the matrix of a checkout."""
    command = [sys.executable, "-m", "audit", "run", str(tree), "--format", "json"]
    done = subprocess.run(command, check=True, capture_output=True)
    return msgspec.json.decode(done.stdout, type=Matrix)


def weakest(matrix: Matrix) -> list[CapabilityResult]:
    """Return the applicable capabilities with the lowest scores."""
    applicable = [one for one in matrix.capabilities if one.status != "not_applicable"]

    def rank(one: CapabilityResult) -> tuple[float, int, str]:
        return one.score, -len(list(missing(one))), one.id

    return sorted(applicable, key=rank)[:SHOWN]


def missing(capability: CapabilityResult) -> Iterator[PracticeResult]:
    """Yield the practices that are absent, those that do the job first."""
    absent = [one for one in capability.practices if one.status == "absent"]
    yield from sorted(absent, key=lambda one: one.role == "safeguard")


def section(label: Path, matrix: Matrix) -> Iterator[str]:
    """Yield the lines about one repository."""
    said = json.loads(label.read_text(encoding="utf-8"))
    yield f"## {label.stem.replace('__', '/')}"
    yield ""
    yield (
        f"Mean **{matrix.mean:.3f}** at `{said['commit'][:12]}`; profile {matrix.profile}: "
        f"{matrix.profile_reason}."
    )
    yield ""
    for one in weakest(matrix):
        yield f"### {one.id}: {one.score:.3f}"
        yield ""
        for term in one.arithmetic:
            if term.value < 1:
                yield f"- {term.component} {term.value:.2f}: {term.because}"
        if one.reason:
            yield f"- {one.reason}"
        yield from _practices(one, said["labels"])
        yield ""


def _practices(capability: CapabilityResult, labels: dict[str, dict[str, str]]) -> Iterator[str]:
    for practice in missing(capability):
        link = f"[{practice.id}](../practices/{practice.id}.md)"
        agrees = labels[practice.id]["present"]
        why = labels[practice.id]["why"].rstrip(".")
        verdict = "the label disagrees" if agrees else "labelled absent"
        yield f"- no {link}; {verdict}: {why}."
    found = [one for one in capability.practices if one.status == "present" and one.evidence]
    if found:
        shown = (f"{one.id} (`{one.evidence[0].path}:{one.evidence[0].line}`)" for one in found)
        yield f"- found: {', '.join(shown)}"


def page(trees: Path) -> str:
    """Return the page."""
    lines = [ABOUT]
    means: dict[str, float] = {}
    for label in sorted(LABELS.glob("*.json")):
        matrix = audited(trees / label.stem)
        means[label.stem.replace("__", "/")] = matrix.mean
        lines += section(label, matrix)
        print(f"{label.stem}: {matrix.mean:.3f}", file=sys.stderr)
    rows = [f"| {name} | {mean:.3f} |" for name, mean in sorted(means.items(), key=lambda r: -r[1])]
    lines[1:1] = ["## Means", "", "| repository | mean |", "|---|--:|", *rows, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def main() -> None:
    """Print, write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", type=Path)
    parser.add_argument("--page", type=Path, help="write the page here")
    parser.add_argument("--check", type=Path, help="compare with this page")
    options = parser.parse_args()
    text = page(options.trees)
    if options.page:
        options.page.write_text(text, encoding="utf-8")
    elif options.check:
        if options.check.read_text(encoding="utf-8") != text:
            sys.exit(f"{options.check} differs: run tools/weakest.py TREES --page {options.check}")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
