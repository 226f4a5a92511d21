"""Why an evaluation cannot be trusted, or cannot begin."""

from codex_ml.errors import CodexError, ExitCode


class EvaluationError(CodexError):
    """Base class of every evaluation error."""


class DatasetError(EvaluationError):
    """The dataset is missing, empty or malformed; names the line."""


class MetricError(EvaluationError):
    """A metric does not fit the dataset, or has no value on these records."""


class RecordsError(EvaluationError):
    """The records are damaged, or are those of another evaluation."""


class MismatchError(EvaluationError):
    """Model, tokenizer, dataset or baseline do not belong together."""


class NonFiniteError(EvaluationError):
    """The model gave a likelihood that is no number."""

    exit_code = ExitCode.FAILED
