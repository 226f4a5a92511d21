"""The small transformer, the loss, sampling and Hugging Face's models."""

import inspect
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from codex_ml.models import ModelError, NextToken, Transformer, logits_of, sample
from codex_ml.models.builtin import transformer
from codex_ml.models.huggingface import huggingface


def small(**options: Any) -> Transformer:
    torch.manual_seed(0)
    return Transformer(50, 16, layers=2, heads=2, width=16, **options).eval()


def test_logits_have_the_vocabularys_size() -> None:
    assert small()(torch.zeros(3, 7, dtype=torch.long)).shape == (3, 7, 50)


def test_a_token_changes_no_logits_before_it() -> None:
    ids = torch.randint(50, (1, 16), generator=torch.Generator().manual_seed(1))
    changed = ids.clone()
    changed[0, 9] = (ids[0, 9] + 1) % 50
    model = small()
    before, after = model(ids), model(changed)
    assert torch.equal(before[:, :9], after[:, :9])
    assert not torch.allclose(before[:, 9:], after[:, 9:])


def test_positions_matter() -> None:
    logits = small()(torch.full((1, 4), 7))
    assert not torch.allclose(logits[0, 0], logits[0, 3])


def test_an_untrained_model_knows_nothing() -> None:
    ids = torch.randint(50, (8, 16), generator=torch.Generator().manual_seed(1))
    loss = NextToken(small())(ids[:, :-1], ids[:, 1:])
    assert loss.item() == pytest.approx(math.log(50), abs=0.1)


def test_dropout_acts_in_training_only() -> None:
    model, ids = small(dropout=0.5), torch.zeros(1, 4, dtype=torch.long)
    assert torch.equal(model(ids), model(ids))
    model.train()
    assert not torch.equal(model(ids), model(ids))


@pytest.mark.parametrize("options", [{"heads": 3}, {"layers": 0}, {"width": 0}])
def test_sizes_that_make_no_transformer_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ModelError, match="no transformer of"):
        Transformer(50, 16, **{"layers": 1, "heads": 2, "width": 16, **options})


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 2.0, math.nan])
def test_a_dropout_that_is_no_share_is_refused(dropout: float) -> None:
    with pytest.raises(ModelError, match="it is a share from 0 to below 1"):
        small(dropout=dropout)


def test_more_tokens_than_positions_are_refused() -> None:
    with pytest.raises(ModelError, match="17 tokens are more than the model's 16"):
        small()(torch.zeros(1, 17, dtype=torch.long))


class Returns(nn.Module):
    """A model that returns what a function makes of its logits."""

    def __init__(self, wrap: Any) -> None:
        super().__init__()
        self.wrap = wrap

    def forward(self, ids: Tensor) -> Any:
        return self.wrap(nn.functional.one_hot(ids, 5).float())


@pytest.mark.parametrize(
    "wrap", [lambda x: x, lambda x: (x, None), lambda x: SimpleNamespace(logits=x)]
)
def test_logits_are_found_where_models_put_them(wrap: Any) -> None:
    ids = torch.tensor([[0, 1, 2]])
    expected = nn.functional.cross_entropy(torch.eye(5)[:3], torch.tensor([1, 2, 3]))
    assert torch.equal(NextToken(Returns(wrap))(ids, ids + 1), expected)


def test_a_models_own_loss_is_taken() -> None:
    class Own(Returns):
        def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
            return (inputs - targets).float().sum()

    assert NextToken(Own(None))(torch.tensor([[3]]), torch.tensor([[1]])).item() == 2


def test_other_outputs_are_refused() -> None:
    with pytest.raises(ModelError, match="the model returned dict"):
        logits_of({})
    ids = torch.tensor([[0, 1, 2]])
    with pytest.raises(ModelError, match=r"made logits \(1, 1, 5\) for targets \(1, 3\)"):
        NextToken(Returns(lambda x: x[:, -1:]))(ids, ids)


def test_sampling_is_decided_by_its_seed_and_leaves_the_rest_alone() -> None:
    model = small(dropout=0.5).train()
    state = torch.get_rng_state()
    first = sample(model, [1], 30, block_size=16, seed=1)
    assert first == sample(model, [1], 30, block_size=16, seed=1)
    assert first != sample(model, [1], 30, block_size=16, seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert len(first) == 31


def test_at_temperature_0_the_likeliest_token_comes() -> None:
    assert sample(
        nn.Sequential(nn.Embedding(5, 5, _weight=torch.eye(5).roll(1, 1))),
        [2], 4, block_size=1, temperature=0,
    ) == [2, 3, 4, 0, 1]  # fmt: skip


CONFIG = """{"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 8, "n_layer": 1,
"n_head": 1, "n_positions": 16, "vocab_size": 300, "bos_token_id": 0, "eos_token_id": 0}"""


def test_a_hugging_face_model_gives_a_loss(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(CONFIG)
    model = NextToken(huggingface(256, 16, path=str(tmp_path)))
    ids = torch.zeros(2, 9, dtype=torch.long)
    assert model(ids[:, :-1], ids[:, 1:]).isfinite()


def test_a_hugging_face_model_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        huggingface(256, 16, path=str(tmp_path))
    (tmp_path / "config.json").write_text(CONFIG)
    with pytest.raises(ModelError, match="the model has 300 tokens, the tokenizer 301"):
        huggingface(301, 16, path=str(tmp_path))


def test_the_plugin_takes_what_the_transformer_takes() -> None:
    plugin, own = inspect.signature(transformer), inspect.signature(Transformer)
    assert plugin.parameters == own.parameters
    assert isinstance(transformer(50, 16, layers=1, heads=2, width=16), Transformer)
