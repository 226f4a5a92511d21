"""What codex-ml itself brings, declared like an entry point: imported when used."""

from codex_ml import __version__
from codex_ml.plugins.metadata import Entry

OWNER = "codex-ml"

_ROWS: tuple[tuple[str, str, str], ...] = (
    ("metrics", "accuracy", "codex_ml.evaluation.likelihood_metrics:ACCURACY"),
    ("metrics", "accuracy-norm", "codex_ml.evaluation.likelihood_metrics:ACCURACY_NORM"),
    ("metrics", "bits-per-byte", "codex_ml.evaluation.likelihood_metrics:BITS_PER_BYTE"),
    ("metrics", "bleu", "codex_ml.evaluation.text_metrics:BLEU"),
    ("metrics", "exact-match", "codex_ml.evaluation.text_metrics:EXACT_MATCH"),
    ("metrics", "f1", "codex_ml.evaluation.text_metrics:F1"),
    ("metrics", "perplexity", "codex_ml.evaluation.likelihood_metrics:PERPLEXITY"),
    ("metrics", "rouge-l", "codex_ml.evaluation.text_metrics:ROUGE_L"),
    ("metrics", "token-accuracy", "codex_ml.evaluation.likelihood_metrics:TOKEN_ACCURACY"),
)

BUILTIN = [Entry(*row, OWNER, __version__) for row in _ROWS]
