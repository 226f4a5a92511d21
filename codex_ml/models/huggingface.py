"""Causal language models of the transformers library."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex_ml.models.errors import ModelError

if TYPE_CHECKING:
    from torch import nn


def huggingface(
    vocab_size: int,
    block_size: int,  # noqa: ARG001  # the library's models know their own
    *,
    path: str,
    pretrained: bool = False,
) -> "nn.Module":
    """Build the model that a ``config.json`` describes; nothing is downloaded.

    Args:
        vocab_size: the tokenizer's; the model's must not be smaller.
        block_size: tokens in a sample.
        path: the local folder that holds ``config.json``.
        pretrained: also load the weights in that folder.

    """
    if not (Path(path) / "config.json").is_file():
        raise ModelError(f"{path}: no config.json: name a folder that holds a model")
    try:
        library: Any = import_module("transformers")  # half of it is untyped
    except ModuleNotFoundError:
        raise ModelError("transformers is not installed: run pip install transformers") from None
    config = library.AutoConfig.from_pretrained(path, local_files_only=True)
    if config.vocab_size < vocab_size:
        raise ModelError(
            f"{path}: the model has {config.vocab_size} tokens, the tokenizer {vocab_size}: "
            "use the model's own tokenizer"
        )
    if pretrained:
        model: nn.Module = library.AutoModelForCausalLM.from_pretrained(path, local_files_only=True)
    else:
        model = library.AutoModelForCausalLM.from_config(config)
    return model
