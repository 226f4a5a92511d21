"""A `LanguageModel` as a model of EleutherAI's lm-evaluation-harness.

    lm_eval.simple_evaluate(model=HarnessModel(model), tasks=[...])

Needs ``pip install lm_eval``; nothing is downloaded by this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lm_eval.api.model import LM  # type: ignore[import-untyped]

from codex_ml.evaluation.answer import pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lm_eval.api.instance import Instance  # type: ignore[import-untyped]

    from codex_ml.evaluation.scorer import LanguageModel


class HarnessModel(LM):  # type: ignore[misc]
    """Answers the harness's three kinds of requests."""

    def __init__(self, model: LanguageModel) -> None:
        """Wrap a model; a task that generates is answered greedily."""
        super().__init__()
        self.model = model

    def loglikelihood(
        self,
        requests: Sequence[Instance],
        disable_tqdm: bool = False,  # noqa: ARG002
    ) -> list[tuple[float, bool]]:
        """Return each continuation's log-likelihood in nats, and whether it is the greedy one."""
        scores = self.model.score([pair(self.model, *request.args) for request in requests])
        return [(score.log_likelihood, score.hits == score.tokens) for score in scores]

    def loglikelihood_rolling(
        self,
        requests: Sequence[Instance],
        disable_tqdm: bool = False,  # noqa: ARG002
    ) -> list[float]:
        """Return each text's log-likelihood in nats."""
        texts = [self.model.tokenizer.encode(request.args[0]) for request in requests]
        scores = self.model.score([([*self.model.head, *ids], 1) for ids in texts])
        return [score.log_likelihood for score in scores]

    def generate_until(
        self,
        requests: Sequence[Instance],
        disable_tqdm: bool = False,  # noqa: ARG002
    ) -> list[str]:
        """Return each context's greedy continuation, until one of its ``until`` texts."""
        return [self._generate(*request.args) for request in requests]

    def _generate(self, context: str, options: dict[str, object]) -> str:
        until = options.get("until") or []
        stop = [until] if isinstance(until, str) else list(until)  # type: ignore[call-overload]
        limit = int(str(options.get("max_gen_toks", 128)))
        return self.model.generate([context], limit, stop)[0]
