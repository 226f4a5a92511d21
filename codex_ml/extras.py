"""Which extra brings a library that is not installed."""

# top-level module -> extra of this distribution; tests hold it to pyproject.toml
EXTRAS: dict[str, str] = {
    "fsspec": "remote",
    "lm_eval": "dev",
    "mlflow": "mlflow",
    "numpy": "eval",  # training asks for torch first, whose extra brings numpy too
    "rouge_score": "eval",
    "sacrebleu": "eval",
    "safetensors": "train",
    "sentencepiece": "tokenization",
    "tensorboard": "tensorboard",
    "tiktoken": "tokenization",
    "tokenizers": "tokenization",
    "torch": "train",
    "wandb": "wandb",
}


def cure(error: BaseException) -> str:
    """Say what to install for a failed import; nothing if no extra brings it."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    module = (name or "").partition(".")[0]
    return how_to_install(module) if module in EXTRAS else ""


def how_to_install(module: str) -> str:
    """Say that a library is not installed, and which extra brings it."""
    return f"{module} is not installed: run pip install 'codex-ml[{EXTRAS[module]}]'"
