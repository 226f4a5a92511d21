"""Ask a language model for likelihoods and for text, in batches by length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812  # the name that torch's documentation uses

from codex_ml.evaluation.errors import MismatchError
from codex_ml.evaluation.windows import windows
from codex_ml.models.language import logits_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from codex_ml.tokenization.base import Tokenizer


@dataclass(frozen=True, slots=True)
class Score:
    """What a model makes of the scored part of a sequence."""

    log_likelihood: float
    """Sum over the tokens, in nats."""
    hits: int
    """Tokens that were the model's first guess."""
    tokens: int

    def __add__(self, other: Score) -> Score:
        """Add what two windows of a sequence found."""
        return Score(
            self.log_likelihood + other.log_likelihood,
            self.hits + other.hits,
            self.tokens + other.tokens,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A window of one of the sequences to score."""

    sequence: int
    ids: Sequence[int]
    scored: int


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A causal model, its tokenizer, and how to feed it."""

    network: nn.Module
    """Token ids (batch, length) int64 to logits (batch, length, vocabulary); in eval mode."""
    tokenizer: Tokenizer
    block: int
    """Tokens that it sees at most."""
    prefix: int | None = None
    """Id put before a text without context, so that its first token is predicted too."""
    stride: int | None = None
    """Tokens scored per window of a long text; `block` if None."""
    batch_tokens: int = 4096
    """Padded tokens in a batch at most."""
    device: str = "cpu"

    def score(self, sequences: Sequence[tuple[Sequence[int], int]]) -> list[Score]:
        """Return the likelihood of the end of each sequence, given its beginning.

        Args:
            sequences: token ids, and the index (at least 1) of the first one to score.

        """
        totals = [Score(0.0, 0, 0)] * len(sequences)
        # Windows of one length together, longest first: least padding, and the batch that
        # needs the most memory is the first.
        jobs = sorted(self._jobs(sequences), key=lambda job: -len(job.ids))
        for batch in _batches(jobs, self.batch_tokens):
            for job, score in zip(batch, self._score(batch), strict=True):
                totals[job.sequence] += score
        return totals

    def _jobs(self, sequences: Sequence[tuple[Sequence[int], int]]) -> Iterator[Job]:
        stride = min(self.stride or self.block, self.block)
        for number, (ids, first) in enumerate(sequences):
            for window in windows(len(ids), first, self.block, stride):
                yield Job(number, ids[window.start : window.end], window.scored)

    @torch.inference_mode()
    def _score(self, batch: Sequence[Job]) -> list[Score]:
        width = max(len(job.ids) for job in batch) - 1
        inputs = torch.zeros(len(batch), width, dtype=torch.int64)
        for row, job in zip(inputs, batch, strict=True):
            # Padding follows the text, where causal attention cannot see it.
            row[: len(job.ids) - 1] = torch.tensor(job.ids[:-1])
        logits = self._logits(inputs)
        return [_score_one(row, job) for row, job in zip(logits, batch, strict=True)]

    def _logits(self, inputs: Tensor) -> Tensor:
        logits: Tensor = logits_of(self.network(inputs.to(self.device)))
        if logits.shape[:2] != inputs.shape or logits.shape[2] < self.tokenizer.vocab_size:
            raise MismatchError(
                f"the model made logits {tuple(logits.shape)} for ids {tuple(inputs.shape)} of a "
                f"vocabulary of {self.tokenizer.vocab_size}: model and tokenizer do not fit"
            )
        return logits

    @torch.inference_mode()
    def generate(self, prompts: Sequence[str], max_new: int, stop: Sequence[str]) -> list[str]:
        """Continue each prompt greedily until a stop text, `max_new` tokens at most."""
        return [self._generate(prompt, max_new, stop) for prompt in prompts]

    def _generate(self, prompt: str, max_new: int, stop: Sequence[str]) -> str:
        ids = self.tokenizer.encode(prompt) or self.head
        start = len(ids)
        text = ""
        for _ in range(max_new):
            logits = self._logits(torch.tensor([ids[-self.block :]]))
            # The model may have more outputs than the tokenizer has tokens.
            following = int(logits[0, -1, : self.tokenizer.vocab_size].argmax())
            if following == self.prefix:
                break
            ids.append(following)
            text = self.tokenizer.decode(ids[start:])
            if ends := [text.index(mark) for mark in stop if mark in text]:
                return text[: min(ends)]
        return text

    @property
    def head(self) -> list[int]:
        """The ids before every text: one or none."""
        return [] if self.prefix is None else [self.prefix]


def _score_one(logits: Tensor, job: Job) -> Score:
    """(length, vocabulary) logits of a padded row."""
    end = len(job.ids) - 1
    chosen = logits[end - job.scored : end].float()
    targets = torch.tensor(job.ids[-job.scored :], device=logits.device)
    losses = F.cross_entropy(chosen, targets, reduction="none").double()
    hits = int((chosen.argmax(dim=-1) == targets).sum())
    return Score(-float(losses.sum()), hits, job.scored)


def _batches(jobs: Sequence[Job], budget: int) -> Iterator[list[Job]]:
    batch: list[Job] = []
    for job in jobs:  # longest first, so the first of a batch is its width
        if batch and (len(batch) + 1) * len(batch[0].ids) > budget:
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch
