"""Run an evaluation: items to records, records to results."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codex_ml import distributed
from codex_ml.devices import is_out_of_memory
from codex_ml.evaluation import records as on_disk
from codex_ml.evaluation import results as figures
from codex_ml.evaluation.answer import answer, check_items, length
from codex_ml.evaluation.errors import EvaluationError, MetricError, MismatchError, RecordsError
from codex_ml.evaluation.items import KEYS, Completion, Item, TokenDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from codex_ml.evaluation.metric import Metric, Record
    from codex_ml.evaluation.opening import Source
    from codex_ml.evaluation.reading import Dataset

CHUNK = 64
"""Items between two writes of records: what a killed evaluation has to do again."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the model is asked."""

    stride: int | None = None
    max_new: int = 128
    stop: tuple[str, ...] = ("\n",)
    batch_tokens: int = 4096
    device: str = "cpu"
    seed: int = 0


def evaluate(
    source: Source, dataset: Dataset, metrics: Mapping[str, Metric], folder: Path, options: Options
) -> tuple[dict[str, Any], list[Record]]:
    """Evaluate, write ``records.ndjson`` and then ``results.json``, and return both.

    Continues an interrupted evaluation of the same kind in `folder`. With several
    ranks each asks for its share, and all return the same.

    Raises:
        MetricError: a metric reads what the dataset's records do not have.
        MismatchError: the dataset's ids are another tokenizer's.
        RecordsError: `folder` holds another evaluation.

    """
    check_metrics(metrics, dataset)
    _check_tokenizer(source, dataset)
    keys = frozenset(key for metric in metrics.values() for key in metric.reads)
    subject = _subject(source, dataset, keys, options)
    done = _done(folder, subject.run)
    distributed.barrier()
    _ask(source, _share(dataset.items, done), keys, folder, subject.run, options)
    distributed.barrier()
    with distributed.main_first():
        if distributed.is_main():
            _finish(folder, dataset.items, subject, metrics, options.seed)
    return figures.read_results(folder / figures.RESULTS), _records(folder)


def _records(folder: Path) -> list[Record]:
    return list(on_disk.read_records(folder / on_disk.RECORDS))


def check_metrics(metrics: Mapping[str, Metric], dataset: Dataset) -> None:
    """Refuse metrics that read what this kind of dataset does not give."""
    kind = type(dataset.items[0])
    for name, metric in metrics.items():
        if missing := [key for key in metric.reads if key not in KEYS[kind]]:
            raise MetricError(
                f"metric {name} reads {', '.join(missing)}, which {dataset.source} does not give: "
                f"a {kind.__name__} gives {', '.join(KEYS[kind])}"
            )


def _check_tokenizer(source: Source, dataset: Dataset) -> None:
    if dataset.tokenizer not in (None, source.tokenizer.digest):
        raise MismatchError(
            f"{dataset.source}: its ids are of tokenizer {dataset.tokenizer}, "
            f"the model's is {source.tokenizer.digest}"
        )
    size = source.tokenizer.vocab_size
    for item in dataset.items:
        if isinstance(item, TokenDocument) and max(item.ids) >= size:
            raise MismatchError(
                f"{dataset.source}: id {max(item.ids)} is beyond the tokenizer's {size}: "
                "encode the text with the model's tokenizer"
            )


def _subject(
    source: Source, dataset: Dataset, keys: frozenset[str], options: Options
) -> figures.Subject:
    """Everything that the records depend on; not batches, ranks or metrics."""
    config: dict[str, Any] = {"block": source.block, "stride": options.stride or source.block}
    if isinstance(dataset.items[0], Completion):
        config |= {"likelihood": bool(keys - {"prediction", "references"})}
        config |= {"generation": "prediction" in keys}
        config |= {"max_new": options.max_new, "stop": list(options.stop)}
    about = {"source": dataset.source, "digest": dataset.digest, "items": len(dataset.items)}
    return figures.Subject(source.identity, about, config)


def _done(folder: Path, run: str) -> dict[str, dict[str, Any]]:
    """Return the records that this evaluation has already, finished or not."""
    if (folder / figures.RESULTS).exists():
        if figures.read_results(folder / figures.RESULTS)["run"] != run:
            raise RecordsError(
                f"{folder}: holds the results of another evaluation: choose another --out"
            )
        return {record["id"]: dict(record) for record in _records(folder)}
    return on_disk.finished(folder, run)


def _share(items: Sequence[Item], done: Mapping[str, Any]) -> list[Item]:
    """Return this rank's items, longest first, so that memory runs out at once or never."""
    missing = sorted((item for item in items if item.id not in done), key=length, reverse=True)
    return [missing[index] for index in distributed.shard(len(missing))]


def _ask(
    source: Source,
    items: Sequence[Item],
    keys: frozenset[str],
    folder: Path,
    run: str,
    options: Options,
) -> None:
    if not items:
        return
    check_items(source, items, keys)
    with _naming_memory():
        model = source.open(
            stride=options.stride, batch_tokens=options.batch_tokens, device=options.device
        )
        with closing(on_disk.Part(folder, distributed.rank(), run)) as part:
            for start in range(0, len(items), CHUNK):
                chunk = items[start : start + CHUNK]
                part.write(answer(model, chunk, keys, options.max_new, options.stop))


@contextmanager
def _naming_memory() -> Iterator[None]:
    """Within, a `RuntimeError` of torch for want of memory is an `EvaluationError`."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise EvaluationError(
            "out of memory: lower --batch-tokens; the same command goes on after the last record"
        ) from error


def _finish(
    folder: Path,
    items: Sequence[Item],
    subject: figures.Subject,
    metrics: Mapping[str, Metric],
    seed: int,
) -> None:
    found = _done(folder, subject.run) | on_disk.finished(folder, subject.run)
    records = on_disk.merge(folder, items, found)
    measured = figures.measure(metrics, records, seed)
    written = (folder / on_disk.RECORDS).read_bytes()
    figures.write_results(folder, figures.document(subject, seed, measured, written))
    on_disk.remove_parts(folder)
