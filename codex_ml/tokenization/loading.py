"""Read a tokenizer from its file, whichever kind it is."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from codex_ml.extras import cure
from codex_ml.tokenization.base import Tokenizer
from codex_ml.tokenization.byte import FORMAT as BYTE
from codex_ml.tokenization.byte import ByteTokenizer
from codex_ml.tokenization.errors import TokenizationError

TIKTOKEN = "codex-ml-tiktoken"
_IN_DIRECTORY = ("tokenizer.json", "tokenizer.model")


def load(path: str | Path) -> Tokenizer:
    """Return the tokenizer saved in a file, or in a model's directory.

    Reads ``tokenizer.json`` (tokenizers), ``.model`` (sentencepiece) and the JSON
    that `Tokenizer.save` writes for bytes and tiktoken encodings; the content
    decides, not the name.

    Raises:
        TokenizationError: no such file, no tokenizer in it, or its library is missing.

    """
    path = Path(path)
    if path.is_dir():
        path = next((path / name for name in _IN_DIRECTORY if (path / name).exists()), path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TokenizationError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        return parse(data)
    except TokenizationError as error:
        raise TokenizationError(f"{path}: {error}") from None


def parse(data: bytes) -> Tokenizer:
    """Return the tokenizer whose file's content is `data`; raises as `load` does."""
    if not data.lstrip().startswith(b"{"):
        model: Tokenizer = _library("sentencepiece_model").SentencePieceTokenizer(data)
        return model
    try:
        spec = json.loads(data)
    except ValueError as error:
        raise TokenizationError(f"not JSON: {error}") from None
    try:
        return _from_json(spec, data)
    except (KeyError, TypeError, ValueError) as error:
        raise TokenizationError(f"no tokenizer: {type(error).__name__}: {error}") from None


def _from_json(spec: Any, data: bytes) -> Tokenizer:
    found: Tokenizer
    match spec:
        case {"format": format_} if format_ == BYTE:
            found = ByteTokenizer.from_spec(spec)
        case {"format": format_} if format_ == TIKTOKEN:
            found = _library("tiktoken_encoding").TiktokenTokenizer.from_spec(spec)
        case {"model": {}}:
            found = _library("huggingface").HuggingFaceTokenizer.from_bytes(data)
        case _:
            raise TokenizationError('no tokenizer: it has neither "model" nor a known "format"')
    return found


def _library(module: str) -> Any:
    try:
        return import_module(f"codex_ml.tokenization.{module}")
    except ModuleNotFoundError as error:
        raise TokenizationError(cure(error) or str(error)) from None
