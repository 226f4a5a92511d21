"""Measure the practice decisions against labelled repositories.

Usage: python tools/accuracy.py TREES LABELS [--only TEXT] [--errors] [--skip NAME ...]

TREES holds one checkout per label file. Prints precision, recall, F1 and the
share of true positives whose evidence names a file that the label names, per
repository and per capability; with --errors every wrong decision.
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

from audit.practices import registry
from audit.repository import Repository
from audit.source import open_source
from audit.stages.capabilities import decide
from audit.stages.index import index
from audit.store import default_path, open_store


def available(only: str) -> list[registry.Practice]:
    """Return the practices whose capability or id starts with a text."""
    return [
        one
        for one in registry.declared()
        if one.capability.startswith(only) or one.id.startswith(only)
    ]


def ratio(part: int, whole: int) -> float:
    """Return a share, 1 for nothing of nothing."""
    return part / whole if whole else 1.0


def row(name: str, counts: Counter[str]) -> str:
    """Return one line of the report."""
    tp, fp, fn = counts["tp"], counts["fp"], counts["fn"]
    return (
        f"{name:36s} precision {ratio(tp, tp + fp):.3f}  recall {ratio(tp, tp + fn):.3f}  "
        f"F1 {ratio(2 * tp, 2 * tp + fp + fn):.3f}  place {ratio(counts['placed'], tp):.3f}  "
        f"(tp {tp} fp {fp} fn {fn})"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--only", default="", help="capability or practice id (prefix)")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--skip", nargs="*", default=[], help="label names to hold out")
    options = parser.parse_args()
    practices = available(options.only)
    store = open_store(default_path())
    per: dict[str, Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    for file in sorted(options.labels.glob("*.json")):
        if file.stem in options.skip:
            continue
        labels = json.loads(file.read_text())["labels"]
        start = time.perf_counter()
        repository = Repository(index(open_source(options.trees / file.stem), store))
        results = decide(repository, practices)
        took = time.perf_counter() - start
        counts: Counter[str] = Counter()
        for practice, result in zip(practices, results, strict=True):
            label = labels[result.id]
            if label["present"] is None:
                continue
            said = result.status == "present"
            kind = (
                ("tp" if label["present"] else "fp")
                if said
                else ("fn" if label["present"] else "tn")
            )
            one = Counter({kind: 1})
            cited = {e.path for e in result.evidence[:3]}
            wanted = {e.rsplit(":", 1)[0] for e in label["evidence"]}
            placed = kind == "tp" and bool(cited & wanted)
            one["placed"] += placed
            counts += one
            per[practice.capability] += one
            if options.errors and (kind in ("fp", "fn") or (kind == "tp" and not placed)):
                places = "; ".join(f"{e.path}:{e.line} {e.says}" for e in result.evidence[:3])
                note = kind if kind != "tp" else "place"
                print(f"  {note} {result.id} [{result.status}] {places}")
                print(f"     label: {label['why']} {label['evidence'][:4]}")
        total += counts
        print(row(f"{file.stem} {took:.1f}s", counts))
    for name, counts in per.items():
        print(row(name, counts))
    print(row("ALL", total))


if __name__ == "__main__":
    main()
