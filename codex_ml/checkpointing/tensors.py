"""State with tensors, taken apart into a JSON tree and blocks of bytes, and put together again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codex_ml.checkpointing import tree
from codex_ml.checkpointing.dtypes import DTYPES
from codex_ml.checkpointing.manifest import Chunk, Json, TensorEntry
from codex_ml.checkpointing.sharding import Shard, as_shard

PLAIN = (Tensor, torch.nn.Parameter)
_NUMPY_SCALARS = {name: getattr(np, "bool_" if name == "bool" else name) for name in (
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One tensor to be written: `key` within the file of its component.

    `tensor` may be on any device and have any strides. `shape` is the whole
    tensor's; `offsets` is where this block starts in it, None for all of it.
    Another rank writes the block where `writes` is false.
    """

    key: str
    tensor: Tensor
    shape: tuple[int, ...]
    offsets: tuple[int, ...] | None = None
    writes: bool = True

    @property
    def dtype(self) -> str:
        """Name of the element type, as torch spells it."""
        return dtype_name(self.tensor.dtype)


@dataclass(frozen=True, slots=True)
class Component:
    """A named part of a checkpoint: its tree and the tensors that the tree refers to."""

    name: str
    tree: Json
    blocks: tuple[Block, ...]
    sharded: Mapping[str, object] = field(default_factory=dict)  # by the names of tensors


def dtype_name(dtype: torch.dtype) -> str:
    """``torch.float32`` -> ``float32``."""
    return str(dtype).removeprefix("torch.")


def take_apart(name: str, state: object, prefix: str = "") -> Component:
    """Split `state` into a JSON tree and blocks, whose keys start with `prefix`.

    Raises `UnsupportedStateError` naming the first value that would not come
    back exactly: the whole state is examined before anything is written.
    """
    collector = _Collector(prefix)
    node = tree.encode(state, (name,), collector.leaf)
    return Component(name, node, tuple(collector.blocks), collector.sharded)


class _Collector:
    """Names the tensors of one component; equal views of one storage share a name."""

    def __init__(self, prefix: str) -> None:
        self.blocks: list[Block] = []
        self.sharded: dict[str, object] = {}
        self._prefix = prefix
        self._keys = {"__metadata__"}  # reserved by safetensors
        self._seen: dict[tuple[object, ...], str] = {}

    def leaf(self, value: Any, path: tree.Path) -> Json | None:
        """Encode what torch and numpy add to Python's own types."""
        if (shard := as_shard(value, path)) is not None:
            return self._shard(value, shard, path)
        match value:
            case Tensor():
                return self._tensor(value, path)
            case np.ndarray():
                return self._array(value, path)
            case np.generic() if value.dtype.name in _NUMPY_SCALARS:
                item = tree.encode(value.item(), path, self.leaf)
                return {"$scalar": item, "dtype": value.dtype.name}
            case torch.Size():
                return {"$size": list(value)}
            case torch.dtype():
                return {"$dtype": dtype_name(value)}
            case torch.device():
                return {"$device": str(value)}
        return None

    def _tensor(self, value: Tensor, path: tree.Path) -> Json:
        check_tensor(value, path)
        node: dict[str, Json] = {"$tensor": self._whole(value, path)}
        if not value.is_contiguous() and _dense(value.stride(), value.shape):
            node["strides"] = list(value.stride())
        if type(value) is torch.nn.Parameter:
            node["parameter"] = value.requires_grad
        elif value.requires_grad:
            node["requires_grad"] = True
        return node

    def _shard(self, value: Any, shard: Shard, path: tree.Path) -> Json:
        check_tensor(shard.tensor, path)
        name, key = self._name(shard.tensor, path)
        if key is not None:
            self.sharded[name] = value
            self.blocks.append(
                Block(key, shard.tensor.detach(), shard.shape, shard.offsets, shard.writes)
            )
        return {"$tensor": name}

    def _array(self, value: Any, path: tree.Path) -> Json:
        if type(value) is not np.ndarray or value.dtype.name not in _NUMPY_SCALARS:
            raise tree.refuse(path, f"{type(value).__name__} of {value.dtype} has no exact form")
        native = np.array(value, dtype=value.dtype.newbyteorder("="), copy=True)
        if native.dtype != value.dtype:
            raise tree.refuse(path, f"array of {value.dtype} is not in this machine's byte order")
        return {"$array": self._whole(torch.from_numpy(native), path)}

    def _whole(self, value: Tensor, path: tree.Path) -> str:
        name, key = self._name(value, path)
        if key is not None:
            self.blocks.append(Block(key, value.detach(), tuple(value.shape)))
        return name

    def _name(self, value: Tensor, path: tree.Path) -> tuple[str, str | None]:
        """Return the tensor's name, and its key if this is the first time it is met."""
        identity = (
            value.untyped_storage()._cdata,  # noqa: SLF001  # also tells empty ones apart
            value.storage_offset(),
            value.dtype,
            tuple(value.shape),
            value.stride(),
        )
        if identity in self._seen:
            return self._seen[identity], None
        key = self._unique(self._prefix + ("/".join(path[1:]) or "value"))
        self._seen[identity] = f"{path[0]}/{key}"
        return self._seen[identity], key

    def _unique(self, key: str) -> str:
        while key in self._keys:
            key += "~"
        self._keys.add(key)
        return key


def check_tensor(value: Tensor, path: tree.Path) -> None:
    """Raise `UnsupportedStateError` for a tensor whose bytes are not the whole truth."""
    if type(value) not in PLAIN:
        raise tree.refuse(path, f"tensor subclass {type(value).__name__} has no exact form")
    if value.layout != torch.strided or value.is_quantized or value.is_nested:
        raise tree.refuse(path, "only dense tensors are saved, not sparse, quantized or nested")
    if value.is_meta:
        raise tree.refuse(path, "the tensor is on the meta device and has no values")
    if dtype_name(value.dtype) not in DTYPES:
        raise tree.refuse(path, f"elements of {value.dtype} have no exact form")


def _dense(strides: Sequence[int], shape: Sequence[int]) -> bool:
    """Whether the strides are a permutation of contiguous ones."""
    expected = 1
    for stride, size in sorted(zip(strides, shape, strict=True)):
        if size == 1:
            continue
        if stride != expected:
            return False
        expected *= size
    return expected > 0


def as_bytes(tensor: Tensor) -> memoryview:
    """Return the elements in row-major order, copied only if they are not so in memory."""
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if plain.is_complex():
        plain = torch.view_as_real(plain)
    return plain.reshape(-1).view(torch.uint8).numpy().data


def from_bytes(data: memoryview, dtype: str, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor over `data`, without a copy."""
    element: torch.dtype = getattr(torch, dtype)
    if not data.nbytes:
        return torch.empty(shape, dtype=element)
    return torch.frombuffer(data, dtype=element).reshape(shape)


def load_chunk(entry: TensorEntry, chunk: Chunk, data: memoryview) -> Tensor:
    """Return a stored block over its bytes."""
    return from_bytes(data, entry.dtype, entry.shape if chunk.shape is None else chunk.shape)


def put_together(node: Json, tensor: Callable[[str], Tensor]) -> Any:
    """Return the state whose tree is `node`; `tensor` gives a tensor by name."""
    made: dict[str, Tensor] = {}

    def leaf(node: dict[str, Json]) -> object:
        match node:
            case {"$tensor": name, **attributes}:
                identity = str(node)
                if identity not in made:
                    made[identity] = _with_attributes(tensor(name), attributes)
                return made[identity]
            case {"$array": name}:
                return tensor(name).numpy()
            case {"$scalar": item, "dtype": dtype}:
                return _NUMPY_SCALARS[dtype](tree.decode(item, leaf))
            case {"$size": sizes}:
                return torch.Size(sizes)
            case {"$dtype": name} if isinstance(dtype := getattr(torch, name), torch.dtype):
                return dtype
            case {"$device": name}:
                return torch.device(name)
        return tree.only_python(node)

    return tree.decode(node, leaf)


def _with_attributes(value: Tensor, attributes: dict[str, Json]) -> Tensor:
    if strides := attributes.get("strides"):
        if not _dense(strides, value.shape):
            raise ValueError(f"strides {strides} of a tensor of shape {tuple(value.shape)}")
        value = torch.empty_strided(value.shape, strides, dtype=value.dtype).copy_(value)
    if "parameter" in attributes:
        return torch.nn.Parameter(value, requires_grad=attributes["parameter"])
    return value.requires_grad_() if attributes.get("requires_grad") else value
