"""What codex-ml itself brings, declared like an entry point: imported when used."""

from codex_ml import __version__
from codex_ml.plugins.metadata import Entry

OWNER = "codex-ml"

_ROWS: tuple[tuple[str, str, str], ...] = (
    ("datasets", "jsonl", "codex_ml.data.sources:jsonl"),
    ("datasets", "text", "codex_ml.data.sources:text"),
    ("datasets", "tokens", "codex_ml.data.sources:tokens"),
    ("models", "huggingface", "codex_ml.models.huggingface:huggingface"),
    ("models", "transformer", "codex_ml.models.transformer:Transformer"),
    ("tokenizers", "byte", "codex_ml.tokenization.byte:ByteTokenizer"),
    ("trackers", "mlflow", "codex_ml.tracking.services:MLflow"),
    ("trackers", "tensorboard", "codex_ml.tracking.services:TensorBoard"),
    ("trackers", "wandb", "codex_ml.tracking.services:WeightsAndBiases"),
)

BUILTIN = [Entry(*row, OWNER, __version__) for row in _ROWS]
