"""``codex-ml evaluate``: a model, a dataset, metrics; results that can be compared."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from codex_ml.cli import let_idle_threads_sleep, run
from codex_ml.devices import check_device
from codex_ml.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from codex_ml.evaluation.baseline import Comparison
    from codex_ml.evaluation.metric import Metric, Record
    from codex_ml.evaluation.opening import Source

FILE = click.Path(path_type=Path)
FOLDER = click.Path(path_type=Path, file_okay=False)
COUNT = click.IntRange(1)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--checkpoint", type=FILE, help="A run's directory, or a checkpoint in it.")
@click.option("--which", default="latest", show_default=True, help="latest, best, or a step.")
@click.option("--model", help="A model plugin instead of a checkpoint.")
@click.option("--option", multiple=True, metavar="KEY=VALUE", help="An option of --model.")
@click.option(
    "--block",
    type=COUNT,
    default=128,
    show_default=True,
    help="Tokens that --model sees.",
)
@click.option("--tokenizer", type=FILE, help="The tokenizer's file; a run has its own.")
@click.option("--data", help="The dataset: .txt, .jsonl, .npy or .bin.")
@click.option("--limit", type=COUNT, help="Only the first so many items.")
@click.option("--metric", "metrics", multiple=True, required=True, help="A metric; repeatable.")
@click.option("--out", type=FOLDER, help="Folder for results.json and records.ndjson.")
@click.option("--records", type=FILE, help="Score these saved records instead of a model.")
@click.option("--baseline", type=FILE, help="Compare with this results.json; exit 1 if worse.")
@click.option("--stride", type=COUNT, help="Tokens scored per window of a long text.")
@click.option(
    "--max-new",
    type=COUNT,
    default=128,
    show_default=True,
    help="Tokens generated at most.",
)
@click.option("--stop", multiple=True, default=["\n"], help="Text that ends a generation.")
@click.option(
    "--batch-tokens",
    type=COUNT,
    default=4096,
    show_default=True,
    help="Tokens in a batch.",
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, mps or xpu.")
@click.option("--seed", default=0, show_default=True, help="Of intervals and tests.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(metrics: tuple[str, ...], form: str, **options: Any) -> int:
    """Measure a model on a dataset, or saved records again.

    Writes records.ndjson and results.json into --out, and continues there after an
    interruption. Several ranks: CODEX_DDP=1 torchrun ... -m codex_ml.cli.evaluate.
    """
    _check_usage(options)
    check_device(options["device"])
    let_idle_threads_sleep()
    from codex_ml import distributed

    chosen = _metrics(metrics)
    with distributed.session(options["device"]):
        work = _rescore if options["records"] else _evaluate
        results, compared = work(chosen, options)
        if distributed.is_main():
            click.echo(_json(results, compared) if form == "json" else _text(results, compared))
    return ExitCode.FAILED if any(one.regression for one in compared) else ExitCode.OK


def _check_usage(options: dict[str, Any]) -> None:
    given = [name for name in ("checkpoint", "model", "records") if options[name]]
    if len(given) != 1:
        raise click.UsageError("give one of --checkpoint, --model and --records")
    if not options["records"] and not (options["data"] and options["out"]):
        raise click.UsageError("give --data and --out")
    if options["out"] and (file := next(filter(Path.is_file, options["out"].parents), None)):
        raise click.UsageError(f"--out {options['out']}: {file} is a file, no folder")


def _metrics(names: tuple[str, ...]) -> dict[str, "Metric"]:
    from codex_ml import plugins

    return {name: plugins.get("metrics", name) for name in names}


def _rescore(
    metrics: "Mapping[str, Metric]", options: dict[str, Any]
) -> tuple[dict[str, Any], list["Comparison"]]:
    from codex_ml.evaluation import results
    from codex_ml.evaluation.records import read_records

    path = options["records"]
    records: list[Record] = list(read_records(path))
    baseline = _baseline(metrics, options, [record["id"] for record in records])
    measured = results.measure(metrics, records, options["seed"])
    subject = results.Subject(None, None, {"records": str(path)})
    found = results.document(subject, options["seed"], measured, path.read_bytes())
    if options["out"]:
        results.write_results(options["out"], found)
    return found, _compare(metrics, records, baseline, options["seed"])


def _evaluate(
    metrics: "Mapping[str, Metric]", options: dict[str, Any]
) -> tuple[dict[str, Any], list["Comparison"]]:
    """Check all that needs no torch, and only then ask the model."""
    from codex_ml.evaluation.reading import read_dataset

    dataset = read_dataset(options["data"], options["limit"])
    from codex_ml.evaluation.evaluating import Options, check_metrics, evaluate

    check_metrics(metrics, dataset)
    baseline = _baseline(metrics, options, [item.id for item in dataset.items])
    source = _source(options)
    asked = ("stride", "max_new", "batch_tokens", "device", "seed")
    how = Options(stop=tuple(options["stop"]), **{name: options[name] for name in asked})
    results, records = evaluate(source, dataset, metrics, options["out"], how)
    return results, _compare(metrics, records, baseline, options["seed"])


def _source(options: dict[str, Any]) -> "Source":
    from codex_ml.evaluation import opening

    if options["model"]:
        built = dict(map(_option, options["option"]))
        return opening.find_plugin(options["model"], built, options["block"], options["tokenizer"])
    return opening.find_checkpoint(options["checkpoint"], options["which"], options["tokenizer"])


def _option(text: str) -> tuple[str, Any]:
    """Read ``key=value``; what is no JSON value is a text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--option {text!r}: write key=value")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _baseline(
    metrics: "Mapping[str, Metric]", options: dict[str, Any], items: "Sequence[str]"
) -> list["Record"]:
    if options["baseline"] is None:
        return []
    from codex_ml.evaluation.baseline import read_baseline

    return read_baseline(options["baseline"], metrics, items)


def _compare(
    metrics: "Mapping[str, Metric]",
    records: "Sequence[Record]",
    baseline: "Sequence[Record]",
    seed: int,
) -> list["Comparison"]:
    if not baseline:
        return []
    from codex_ml.evaluation.baseline import compare

    return compare(metrics, records, baseline, seed)


def _json(results: dict[str, Any], compared: "Sequence[Comparison]") -> str:
    from dataclasses import asdict

    extra = {"baseline": [asdict(one) for one in compared]} if compared else {}
    return json.dumps(results | extra)


def _text(results: dict[str, Any], compared: "Sequence[Comparison]") -> str:
    rows = [("metric", "value", "stderr", "95 % interval", "n")]
    for one in results["metrics"]:
        error = "" if one["stderr"] is None else f"{one['stderr']:.4g}"
        bounds = one["interval"] or ()
        interval = " to ".join(f"{bound:.5g}" for bound in bounds)
        rows.append((one["name"], f"{one['value']:.6g}", error, interval, str(one["n"])))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    for one in compared:
        word = "worse" if one.regression else "no regression"
        lines.append(
            f"{one.name}: {one.value:.6g}, baseline {one.baseline:.6g}, "
            f"p = {one.p_value:.3g}: {word}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run(command))
