"""From names in a configuration to objects, through the plugin registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codex_ml import plugins
from codex_ml.data.sources import Context, Splits
from codex_ml.plugins.options import prepare
from codex_ml.tokenization import ByteTokenizer, Tokenizer, load


def tokenizer(named: str) -> Tokenizer:
    """Return the tokenizer of a file, of a plugin, or the byte tokenizer."""
    if named == "byte":
        return ByteTokenizer()
    if named in plugins.names("tokenizers"):
        found: Tokenizer = plugins.get("tokenizers", named)()
        return found
    return load(named)


def datasets(table: Mapping[str, Any], context: Context) -> Splits:
    """Return the samples that the `data` table describes."""
    return Splits(*prepare("datasets", table, 1)(context))


def context(tokens: Tokenizer, block_size: int, seed: int, run: Path) -> Context:
    """Return what dataset plugins are given; what they derive goes below the run's directory."""
    return Context(tokenizer=tokens, block_size=block_size, seed=seed, cache=run / "tokens")
