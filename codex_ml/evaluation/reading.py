"""Read datasets: text, JSON lines, multiple choice, token files.

Text and token files are cut into documents of about `PIECE`, each evaluated by
itself: that is what standard errors and comparisons count. For one long context,
give the text as one JSON line.

The kind of a ``.jsonl`` file follows from its keys, the same in every line:
``text``; ``prompt`` and ``target`` (or ``targets``); ``prompt`` (or
``question``), ``choices`` and ``answer``. ``id`` is optional everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_ml.evaluation.errors import DatasetError
from codex_ml.evaluation.items import Choice, Completion, Document, Item, TokenDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = 4096
"""Tokens in a piece of a token file; characters, up to the line's end, in one of a text.

A rest of less than half is part of the piece before: it may be a token that nothing predicts.
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Items in the order of the file."""

    source: str
    items: tuple[Item, ...]
    digest: str
    """SHA-256 of the file's bytes."""
    tokenizer: str | None = None
    """Digest of the tokenizer that made the ids, where the file says so."""


def read_dataset(source: str, limit: int | None = None) -> Dataset:
    """Read a file, or its first `limit` items.

    Raises:
        DatasetError: missing, empty, malformed (with its line), or ids repeat.

    """
    path = Path(source)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{source}: cannot be read: {error.strerror}") from None
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if path.suffix in (".npy", ".bin"):
        return _from_tokens(path, digest, limit)
    if path.suffix in (".jsonl", ".ndjson"):
        rows = ((f"{source}:{n}", row) for n, row in _lines(source, data))
        return _checked(Dataset(source, _items(rows, limit), digest))
    if path.suffix == ".txt":
        pieces = _pieces(_text(source, data))[:limit]
        items = tuple(Document(str(number), piece) for number, piece in enumerate(pieces))
        return _checked(Dataset(source, items, digest))
    raise DatasetError(f"{source}: no dataset: it is .txt, .jsonl, .npy or .bin")


def _from_tokens(path: Path, digest: str, limit: int | None) -> Dataset:
    from codex_ml.data.tokens import open_tokens

    tokens = open_tokens(path)
    count = max(bool(tokens), round(len(tokens) / PIECE))
    bounds = [*range(0, count * PIECE, PIECE), len(tokens)]
    items = tuple(
        TokenDocument(str(start), tokens.ids[start:end].tolist())
        for start, end in islice(pairwise(bounds), limit)
    )
    return _checked(Dataset(str(path), items, digest, tokens.tokenizer))


def _checked(dataset: Dataset) -> Dataset:
    if not dataset.items:
        raise DatasetError(f"{dataset.source}: is empty: nothing to evaluate")
    if len(kinds := {type(item).__name__ for item in dataset.items}) > 1:
        raise DatasetError(f"{dataset.source}: mixes {' and '.join(sorted(kinds))} items")
    seen: set[str] = set()
    for item in dataset.items:
        if item.id in seen:
            raise DatasetError(f"{dataset.source}: id {item.id!r} is given twice")
        seen.add(item.id)
    return dataset


def _text(place: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{place}: is not UTF-8 (byte {error.start})") from None


def _pieces(text: str) -> list[str]:
    """Cut at line ends; the pieces together are the text, and a short rest is part of the last."""
    pieces, piece = [], ""
    for line in text.splitlines(keepends=True):
        piece += line
        if len(piece) >= PIECE:
            pieces.append(piece)
            piece = ""
    if pieces and len(piece) < PIECE / 2:
        pieces[-1] += piece
    elif piece:
        pieces.append(piece)
    return pieces


def _lines(source: str, data: bytes) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(_text(f"{source}:{number}", line))
        except ValueError as error:
            raise DatasetError(f"{source}:{number}: not JSON: {error}") from None


def _items(rows: Iterable[tuple[str, Any]], limit: int | None) -> tuple[Item, ...]:
    items: list[Item] = []
    for place, row in rows:
        if limit is not None and len(items) >= limit:
            break
        if not isinstance(row, Mapping):
            raise DatasetError(f"{place}: is no JSON object")
        items.append(_item(place, row, str(row.get("id", len(items)))))
    return tuple(items)


def _item(place: str, row: Mapping[str, Any], id_: str) -> Item:
    if "choices" in row:
        return _choice(place, row, id_)
    if "prompt" in row:
        targets = row["targets"] if "targets" in row else [_string(place, row, "target")]
        if not isinstance(targets, list) or not targets:
            raise DatasetError(f"{place}: `targets` is no list of texts")
        references = tuple(_string(place, {"targets": text}, "targets") for text in targets)
        return Completion(id_, _string(place, row, "prompt"), references)
    return Document(id_, _string(place, row, "text"))


def _choice(place: str, row: Mapping[str, Any], id_: str) -> Choice:
    prompt = _string(place, row, "question" if "question" in row else "prompt")
    match row["choices"]:
        case [_, _, *_] as choices if all(isinstance(text, str) and text for text in choices):
            pass
        case _:
            raise DatasetError(f"{place}: `choices` is no list of two or more texts")
    match row.get("answer"):
        case bool() | None:
            raise DatasetError(f"{place}: `answer` is missing: the index or text of a choice")
        case int(label) if 0 <= label < len(choices):
            return Choice(id_, prompt, tuple(choices), label)
        case str(text) if text in choices:
            return Choice(id_, prompt, tuple(choices), choices.index(text))
        case other:
            raise DatasetError(f"{place}: `answer` {other!r} is none of {len(choices)} choices")


def _string(place: str, row: Mapping[str, Any], key: str) -> str:
    match row.get(key):
        case str(text) if text:
            return text
        case None:
            raise DatasetError(f"{place}: `{key}` is missing")
    raise DatasetError(f"{place}: `{key}` is no text, or an empty one")
