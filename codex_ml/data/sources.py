"""The datasets that come with codex-ml: text, JSONL and token files."""

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from codex_ml.data.errors import DataError
from codex_ml.data.stream import Samples
from codex_ml.data.tokens import Ids, Tokens, open_tokens, write_tokens
from codex_ml.data.windows import Windows
from codex_ml.tokenization.corpus import corpus

if TYPE_CHECKING:
    from codex_ml.tokenization.base import Tokenizer

Paths = str | list[str]


@dataclass(frozen=True, slots=True)
class Context:
    """What a dataset plugin gets besides its options."""

    tokenizer: "Tokenizer"
    block_size: int
    """Tokens in a training sample."""
    seed: int
    cache: Path
    """Folder for what is derived from the data."""


class Splits(NamedTuple):
    """What a dataset plugin returns: samples are (inputs, targets), each (block_size,) int64."""

    train: Samples
    validation: Samples | None


def text(context: Context, *, path: Paths, validation: float = 0.1) -> Splits:
    """UTF-8 text files, one after the other; the last `validation` share of tokens is held out."""
    paths = _paths(path)
    name = _name(context, paths, "text")
    return _cut(_encoded(context, name, corpus(paths)), context, validation, paths)


def jsonl(
    context: Context,
    *,
    path: Paths,
    field: str = "text",
    separator: str | None = None,
    validation: float = 0.1,
) -> Splits:
    """One JSON object a line, the text in `field`; a share of the documents is held out.

    Which documents is decided by each one's content and the seed alone, so adding
    some moves none of the others. `separator` is a special token put after each.
    """
    paths = _paths(path)
    _check_share(validation)
    end = _separator(context.tokenizer, separator)
    parts = []
    for held_out in (False, True):
        chosen = (
            document
            for document in _documents(paths, field)
            if _is_held_out(document, validation, context.seed) == held_out
        )
        name = _name(context, paths, "jsonl", field, end, validation, context.seed, held_out)
        parts.append(_encoded(context, name, chosen, end))
    train, held = parts
    return Splits(
        _windows(train.ids, context, paths),
        _windows(held.ids, context, paths) if validation else None,
    )


def tokens(
    context: Context, *, path: str, validation_path: str | None = None, validation: float = 0.1
) -> Splits:
    """A token file; held out is another one, or the last `validation` share of this one."""
    train = _of_this_tokenizer(context, path)
    if validation_path is None:
        return _cut(train, context, validation, [path])
    held = _of_this_tokenizer(context, validation_path)
    return Splits(
        _windows(train.ids, context, [path]), _windows(held.ids, context, [validation_path])
    )


def _cut(
    tokens: Tokens, context: Context, validation: float, paths: Iterable[str | Path]
) -> Splits:
    _check_share(validation)
    held = math.floor(len(tokens) * validation)
    train, rest = tokens.ids[: len(tokens) - held], tokens.ids[len(tokens) - held :]
    return Splits(_windows(train, context, paths), _windows(rest, context, paths) if held else None)


def _windows(ids: Ids, context: Context, paths: Iterable[str | Path]) -> Windows:
    try:
        return Windows(ids, context.block_size)
    except DataError as error:
        raise DataError(f"{', '.join(map(str, paths))}: {error}") from None


def _encoded(
    context: Context, name: str, texts: Iterable[str], separator: int | None = None
) -> Tokens:
    """Encode once; the same texts and tokenizer are found in the cache the next time."""
    path = context.cache / f"{name}.npy"
    if not path.exists():
        write_tokens(path, texts, context.tokenizer, separator=separator, overwrite=True)
    return open_tokens(path)


def _name(context: Context, paths: Iterable[Path], *key: object) -> str:
    digest = hashlib.sha256(repr((context.tokenizer.digest, key)).encode())
    for path in paths:
        try:
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()[:32]


def _documents(paths: Iterable[Path], field: str) -> Iterator[str]:
    for path in paths:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _document(line, field, f"{path}:{number}")


def _document(line: bytes, field: str, where: str) -> str:
    try:
        match msgspec.json.decode(line):
            case {**fields} if isinstance(found := fields.get(field), str):
                return found
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{where}: not JSON: {error}") from None
    raise DataError(f"{where}: no text under {field!r}: name the field of the text")


def _is_held_out(document: str, share: float, seed: int) -> bool:
    digest = hashlib.sha256(f"{seed}:{document}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def _of_this_tokenizer(context: Context, path: str) -> Tokens:
    found = open_tokens(path)
    if found.tokenizer not in (None, context.tokenizer.digest):
        raise DataError(
            f"{path}: was encoded by another tokenizer ({found.tokenizer}), "
            f"not {context.tokenizer.digest}: encode the text again"
        )
    if found.tokenizer is None and int(found.ids.max(initial=0)) >= context.tokenizer.vocab_size:
        raise DataError(
            f"{path}: holds ids that the tokenizer's vocabulary of {context.tokenizer.vocab_size} "
            "lacks: name the tokenizer that made the file"
        )
    return found


def _separator(tokenizer: "Tokenizer", separator: str | None) -> int | None:
    if separator is not None and separator not in tokenizer.special_tokens:
        known = ", ".join(tokenizer.special_tokens) or "none"
        raise DataError(f"{separator!r} is no special token of the tokenizer: it has {known}")
    return None if separator is None else tokenizer.special_tokens[separator]


def _paths(path: Paths) -> list[Path]:
    return [Path(path)] if isinstance(path, str) else [Path(each) for each in path]


def _check_share(share: float) -> None:
    if not 0 <= share < 1:
        raise DataError(f"validation is {share}: give a share from 0 to below 1")
