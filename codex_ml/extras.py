"""Which extra brings a library that is not installed."""

# top-level module -> extra of this distribution; tests hold it to pyproject.toml
EXTRAS: dict[str, str] = {
    "fsspec": "remote",
    "lm_eval": "dev",
    "numpy": "eval",  # training asks for torch first, whose extra brings numpy too
    "rouge_score": "eval",
    "sacrebleu": "eval",
    "safetensors": "train",
    "sentencepiece": "tokenization",
    "tiktoken": "tokenization",
    "tokenizers": "tokenization",
    "torch": "train",
}


def cure(error: BaseException) -> str:
    """Say what to install for a failed import; nothing if no extra brings it."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    module = (name or "").partition(".")[0]
    extra = EXTRAS.get(module)
    return f"{module} is not installed: run pip install 'codex-ml[{extra}]'" if extra else ""
