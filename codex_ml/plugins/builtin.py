"""What codex-ml itself brings, declared like an entry point: imported when used."""

from codex_ml import __version__
from codex_ml.plugins.metadata import Entry

OWNER = "codex-ml"

_ROWS: tuple[tuple[str, str, str], ...] = (
    ("datasets", "jsonl", "codex_ml.data.sources:jsonl"),
    ("datasets", "text", "codex_ml.data.sources:text"),
    ("datasets", "tokens", "codex_ml.data.sources:tokens"),
    ("metrics", "accuracy", "codex_ml.evaluation.likelihood_metrics:ACCURACY"),
    ("metrics", "accuracy-norm", "codex_ml.evaluation.likelihood_metrics:ACCURACY_NORM"),
    ("metrics", "bits-per-byte", "codex_ml.evaluation.likelihood_metrics:BITS_PER_BYTE"),
    ("metrics", "bleu", "codex_ml.evaluation.text_metrics:BLEU"),
    ("metrics", "exact-match", "codex_ml.evaluation.text_metrics:EXACT_MATCH"),
    ("metrics", "f1", "codex_ml.evaluation.text_metrics:F1"),
    ("metrics", "perplexity", "codex_ml.evaluation.likelihood_metrics:PERPLEXITY"),
    ("metrics", "rouge-l", "codex_ml.evaluation.text_metrics:ROUGE_L"),
    ("metrics", "token-accuracy", "codex_ml.evaluation.likelihood_metrics:TOKEN_ACCURACY"),
    ("models", "huggingface", "codex_ml.models.huggingface:huggingface"),
    ("models", "transformer", "codex_ml.models.builtin:transformer"),
    ("tokenizers", "byte", "codex_ml.tokenization.byte:ByteTokenizer"),
    ("trackers", "mlflow", "codex_ml.tracking.services:MLflow"),
    ("trackers", "tensorboard", "codex_ml.tracking.services:TensorBoard"),
    ("trackers", "wandb", "codex_ml.tracking.services:WeightsAndBiases"),
)

BUILTIN = [Entry(*row, OWNER, __version__) for row in _ROWS]
