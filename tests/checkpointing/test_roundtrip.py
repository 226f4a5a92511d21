"""State comes back exactly as it was saved, or is refused by name before anything is written."""

import math
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from codex_ml.checkpointing import CheckpointManager, UnsupportedStateError
from codex_ml.checkpointing.dtypes import DTYPES


def through(folder: Path, value: object) -> Any:
    """Save `value` and load it."""
    manager = CheckpointManager(folder)
    manager.save(1, value=value, rng=False, overwrite=True)
    return manager.load(1)["value"]


def same(left: Any, right: Any) -> bool:
    """Equal in type and value, NaN included, at every depth."""
    if type(left) is not type(right):
        return False
    match left:
        case torch.Tensor():
            return bool(
                left.dtype == right.dtype
                and left.shape == right.shape
                and left.requires_grad == right.requires_grad
                and bits(left) == bits(right)
            )
        case np.ndarray():
            return bool(left.dtype == right.dtype and left.tobytes() == right.tobytes())
        case dict():
            return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
        case list() | tuple():
            return len(left) == len(right) and all(map(same, left, right))
        case float():
            return bool(left.hex() == right.hex())
    return bool(left == right)


def bits(tensor: torch.Tensor) -> bytes:
    plain = tensor.detach().contiguous()
    plain = torch.view_as_real(plain) if plain.is_complex() else plain
    return bytes(plain.reshape(-1).view(torch.uint8).numpy())


def random_tensor(dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:
    count = math.prod(shape) * dtype.itemsize
    raw = torch.randint(0, 2 if dtype == torch.bool else 256, (count,), dtype=torch.uint8)
    return raw.view(dtype).reshape(shape) if count else torch.empty(shape, dtype=dtype)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (5,), (2, 3)], ids=str)
def test_every_dtype_and_shape(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    tensor = random_tensor(getattr(torch, name), shape)
    assert same(through(tmp_path, {"x": tensor}), {"x": tensor})


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
KEYS = st.text("ab$/~", max_size=3) | st.integers() | st.booleans() | st.none()
TREES = st.recursive(
    LEAVES | st.sampled_from([torch.arange(3), torch.ones(()), np.arange(4.0), np.float32(0.1)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3).map(OrderedDict)
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(tree=TREES)
def test_any_tree(tmp_path_factory: pytest.TempPathFactory, tree: object) -> None:
    assert same(through(tmp_path_factory.mktemp("run"), [tree]), [tree])


@pytest.mark.parametrize(
    "value",
    [
        {1, 2, 3},
        frozenset({"a"}),
        Counter({3: 2, "a": 0}),
        complex(1, -0.0),
        2**200,
        torch.Size([1, 2]),
        torch.bfloat16,
        torch.device("cpu"),
        np.bool_(True),
        {(1, 2): "tuple key"},
        {1: "int", "1": "text"},
        {"$tensor": "not ours"},
        {"__metadata__": torch.ones(2)},
        {"a": {"b": torch.ones(1)}, "a/b": torch.zeros(1)},
    ],
    ids=repr,
)
def test_unusual_values(tmp_path: Path, value: object) -> None:
    assert same(through(tmp_path, value), value)


def test_tied_tensors_stay_tied_and_are_stored_once(tmp_path: Path) -> None:
    weight = torch.randn(64, 64)
    loaded = through(tmp_path, {"in": weight, "out": weight.detach(), "other": weight.clone()})
    assert loaded["in"].data_ptr() == loaded["out"].data_ptr() != loaded["other"].data_ptr()
    assert len(load_file(tmp_path / "step-00000001" / "value.safetensors")) == 2


@pytest.mark.parametrize(
    "view",
    [
        lambda base: base.t(),
        lambda base: base[:, 1:3],
        lambda base: base[1],
        lambda base: base[:, 0].expand(3, 4),
        lambda base: base.reshape(1, 2, 2, 3).to(memory_format=torch.channels_last),
        lambda base: base.to(torch.complex64).conj(),
        lambda base: (base * 1j).imag.neg(),
    ],
    ids=["transposed", "slice", "row", "expanded", "channels last", "conjugate", "negative"],
)
def test_views(tmp_path: Path, view: Callable[[torch.Tensor], torch.Tensor]) -> None:
    value = view(torch.randn(4, 3))
    loaded = through(tmp_path, value)
    assert torch.equal(loaded, value)
    if value.is_contiguous() or value.mT.is_contiguous():
        assert loaded.stride() == value.stride()


def test_dense_strides_come_back(tmp_path: Path) -> None:
    value = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    assert through(tmp_path, value).is_contiguous(memory_format=torch.channels_last)


def test_parameters_and_gradient_flags_come_back(tmp_path: Path) -> None:
    state = {
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "frozen": torch.nn.Parameter(torch.ones(2) * 2, requires_grad=False),
        "leaf": torch.ones(3, requires_grad=True),
    }
    assert same(through(tmp_path, state), state)


def test_a_modules_versions_come_back(tmp_path: Path) -> None:
    state: Any = torch.nn.BatchNorm1d(2).state_dict()
    loaded = through(tmp_path, state)
    assert loaded._metadata == state._metadata


OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd with momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adamw fused": lambda p: torch.optim.AdamW(p, fused=True),
    "adamw foreach": lambda p: torch.optim.AdamW(p, foreach=True, amsgrad=True),
    "adam without tensors": lambda p: torch.optim.Adam(p, foreach=False),
    "adagrad": torch.optim.Adagrad,
    "rmsprop": lambda p: torch.optim.RMSprop(p, momentum=0.1, centered=True),
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rprop": torch.optim.Rprop,
    "asgd": torch.optim.ASGD,
    "adafactor": torch.optim.Adafactor,
    "lbfgs": torch.optim.LBFGS,
    "muon": lambda p: torch.optim.Muon([next(p)]),
    "sparseadam": torch.optim.SparseAdam,
}


class Rows(torch.nn.Module):
    """Sparse gradients, which SparseAdam asks for."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = torch.nn.Embedding(3, 2, sparse=True)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.rows(batch.argmax(1))
        return found


def test_every_optimizer_of_torch_is_here() -> None:
    classes = {
        name.lower() for name in torch.optim.__all__ if isinstance(vars(torch.optim)[name], type)
    }
    assert classes - {"optimizer"} <= {name.split()[0] for name in OPTIMIZERS}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_bit_by_bit(tmp_path: Path, name: str) -> None:
    def build() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = Rows() if name == "sparseadam" else torch.nn.Linear(3, 2)
        return model, OPTIMIZERS[name](model.parameters())

    def train(model: torch.nn.Module, optimizer: torch.optim.Optimizer, seeds: range) -> None:
        for seed in seeds:
            batch = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed))

            def closure(batch: torch.Tensor = batch) -> torch.Tensor:
                optimizer.zero_grad()
                loss: torch.Tensor = model(batch).square().sum()
                loss.backward()  # type: ignore[no-untyped-call]
                return loss

            optimizer.step(closure)  # type: ignore[arg-type]

    model, optimizer = build()
    train(model, optimizer, range(3))
    manager = CheckpointManager(tmp_path)
    manager.save(3, model=model, optimizer=optimizer)
    assert same(manager.load(3)["optimizer"], optimizer.state_dict())
    train(model, optimizer, range(3, 6))
    other, its_optimizer = build()
    manager.restore(3, model=other, optimizer=its_optimizer)
    train(other, its_optimizer, range(3, 6))
    assert same(dict(other.state_dict()), dict(model.state_dict()))


def schedulers() -> dict[str, Callable[[torch.optim.Optimizer], Any]]:
    at = torch.optim.lr_scheduler
    return {
        "LambdaLR": lambda o: at.LambdaLR(o, lambda epoch: 0.9**epoch),
        "MultiplicativeLR": lambda o: at.MultiplicativeLR(o, lambda _: 0.9),
        "StepLR": lambda o: at.StepLR(o, 2),
        "MultiStepLR": lambda o: at.MultiStepLR(o, [2, 3, 3, 4]),
        "ConstantLR": at.ConstantLR,
        "LinearLR": at.LinearLR,
        "ExponentialLR": lambda o: at.ExponentialLR(o, 0.9),
        "PolynomialLR": at.PolynomialLR,
        "CosineAnnealingLR": lambda o: at.CosineAnnealingLR(o, 9),
        "CosineAnnealingWarmRestarts": lambda o: at.CosineAnnealingWarmRestarts(o, 2),
        "CyclicLR": lambda o: at.CyclicLR(o, 0.01, 0.1, step_size_up=2),
        "OneCycleLR": lambda o: at.OneCycleLR(o, 1.0, total_steps=9),
        "ReduceLROnPlateau": lambda o: at.ReduceLROnPlateau(o, patience=0),
        "SequentialLR": lambda o: at.SequentialLR(
            o, [at.ConstantLR(o), at.MultiStepLR(o, [1])], [2]
        ),
        "ChainedScheduler": lambda o: at.ChainedScheduler(
            [at.ConstantLR(o), at.ExponentialLR(o, 0.9)]
        ),
    }


def test_every_scheduler_of_torch_is_here() -> None:
    at = torch.optim.lr_scheduler
    assert {name for name in at.__all__ if isinstance(vars(at)[name], type)} == {
        *schedulers(),
        "LRScheduler",
    }


@pytest.mark.parametrize("name", schedulers())
def test_every_scheduler_goes_on_alike(tmp_path: Path, name: str) -> None:
    def build() -> tuple[torch.optim.Optimizer, Any]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0, momentum=0.9)
        return optimizer, schedulers()[name](optimizer)

    def rates(optimizer: torch.optim.Optimizer, scheduler: Any, steps: int) -> list[float]:
        found = []
        for _ in range(steps):
            optimizer.step()
            scheduler.step(*[1.0][: name == "ReduceLROnPlateau"])
            found.append(optimizer.param_groups[0]["lr"])
        return found

    optimizer, scheduler = build()
    rates(optimizer, scheduler, 3)
    manager = CheckpointManager(tmp_path)
    manager.save(1, optimizer=optimizer, scheduler=scheduler)
    assert same(manager.load(1)["scheduler"], scheduler.state_dict())
    other, its_scheduler = build()
    manager.restore(1, optimizer=other, scheduler=its_scheduler)
    assert rates(other, its_scheduler, 4) == rates(optimizer, scheduler, 4)


def test_schedulers_and_scalers_come_back(tmp_path: Path) -> None:
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(torch.ones(1))
    manager = CheckpointManager(tmp_path)
    manager.save(1, scheduler=scheduler, scaler=scaler)
    checkpoint = manager.load(1)
    assert same(checkpoint["scaler"], scaler.state_dict())
    assert checkpoint["scheduler"].keys() == scheduler.state_dict().keys()


class Custom:
    pass


class Subclass(torch.Tensor):
    pass


def cycle() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Custom(), "Custom has no exact form"),
        (defaultdict(list), "defaultdict has no exact form"),
        (1 << 10_000, "int of more than 10000 bits"),
        (lambda: 1, "function has no exact form"),
        (np.array(["a"]), "ndarray of <U1 has no exact form"),
        (np.ones(2, dtype=">f8"), "not in this machine's byte order"),
        (torch.ones(2).to_sparse(), "only dense tensors"),
        (torch.empty(2, device="meta"), "meta device"),
        (torch.ones(2).as_subclass(Subclass), "tensor subclass Subclass"),
        (torch.zeros(2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2), "float4"),
        ("\ud800", "not valid Unicode"),
        (cycle(), "contains itself"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "",
)
def test_what_would_not_come_back_is_refused_by_name(
    tmp_path: Path, value: object, message: str
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(UnsupportedStateError, match=r"^cannot save value/a/0") as caught:
        CheckpointManager(folder).save(1, value={"a": [value]}, model=torch.nn.Linear(1, 1))
    assert message in str(caught.value)
    assert str(caught.value).endswith("nothing was written")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"step": -1}, "step is -1"),
        ({"step": 1.5}, "step is 1.5"),
        ({"step": 2**63}, "step is 9223372036854775808"),
        ({"step": True}, "step is True"),
        ({"step": 1, "metrics": {"loss": "low"}}, "metric 'loss' is 'low'"),
        ({"step": 1, "metrics": {"loss": torch.ones(2)}}, "metric 'loss' is tensor"),
        ({"step": 1, "metrics": {1: 2.0}}, "metrics has the key 1"),
        ({"step": 1, "metrics": [1.0]}, "give a dict, by name"),
        ({"step": 1, "digests": {"a": 1}}, "digest 'a' is 1"),
        ({"step": 1, "digests": {"a": "\ud800"}}, "digests/a.* not valid Unicode"),
        ({"step": 1, "config": {"path": Path()}}, "config/path"),
        ({"step": 1, "../up": 1}, "component '../up'"),
    ],
)
def test_bad_arguments_are_refused(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedStateError, match=message):
        CheckpointManager(tmp_path).save(**arguments)
    assert not list(tmp_path.iterdir())


def test_the_files_are_plain_safetensors(tmp_path: Path) -> None:
    model = torch.nn.Linear(3, 2)
    CheckpointManager(tmp_path).save(1, model=model)
    loaded = load_file(tmp_path / "step-00000001" / "model.safetensors")
    model.load_state_dict(loaded)
