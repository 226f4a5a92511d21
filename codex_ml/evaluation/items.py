"""What one line of a dataset asks of a model."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """Text whose every token is predicted from those before it."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class TokenDocument:
    """The same, as token ids."""

    id: str
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Choice:
    """A prompt and the texts that may follow it, one of which is right."""

    id: str
    prompt: str
    choices: tuple[str, ...]
    label: int


@dataclass(frozen=True, slots=True)
class Completion:
    """A prompt to continue, and the continuations that are right."""

    id: str
    prompt: str
    references: tuple[str, ...]


Item = Document | TokenDocument | Choice | Completion

LIKELIHOOD = ("log_likelihood", "tokens", "hits", "bytes")
"""Keys of the records whose text is scored: a document's, or a completion's reference."""
CHOICE = ("log_likelihoods", "lengths", "label")
GENERATION = ("prediction", "references")

KEYS: dict[type[Item], tuple[str, ...]] = {
    Document: LIKELIHOOD,
    TokenDocument: LIKELIHOOD[:3],
    Choice: CHOICE,
    Completion: LIKELIHOOD + GENERATION,
}
"""What the records of each kind of item can hold, beside `id` and `index`."""
