"""Nested state as JSON, exactly: what comes back equals what went in, type for type.

JSON's own types stand for themselves; everything else is an object with one
key that starts with ``$``:

| Python | JSON |
| --- | --- |
| tuple, set, frozenset | `{"$tuple": [...]}`, `{"$set": [...]}`, `{"$frozenset": [...]}` |
| dict with keys other than plain strings | `{"$dict": [[key, value], ...]}` |
| Counter | `{"$counter": [[key, count], ...]}` |
| OrderedDict; with a module's `_metadata` | `{"$ordered": [[key, value], ...], "metadata": ...}` |
| nan, inf, -inf | `{"$float": "nan"}` |
| complex | `{"$complex": [real, imag]}` |
| bytes | `{"$bytes": "base64"}` |
| tensors, arrays and other leaves | what the caller's `leaf` makes of them |
"""

import base64
import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from codex_ml.checkpointing.errors import UnsupportedStateError
from codex_ml.checkpointing.manifest import Json

MAX_DEPTH = 100
MAX_BITS = 10_000  # Python itself reads no more than 4,300 decimal digits
Path = tuple[str, ...]
EncodeLeaf = Callable[[object, Path], Json | None]
DecodeLeaf = Callable[[dict[str, Json]], object]


def refuse(path: Path, why: str) -> UnsupportedStateError:
    """Return the error for a value that cannot be saved."""
    return UnsupportedStateError(f"cannot save {'/'.join(path)}: {why}; nothing was written")


def encode(value: Any, path: Path, leaf: EncodeLeaf) -> Json:
    """Return the JSON form of `value`, found at `path` of the saved state.

    `leaf` is asked about every type that is not Python's own; it returns None
    for what it does not know. Raises `UnsupportedStateError` naming the path.
    """
    if len(path) > MAX_DEPTH:
        raise refuse(path[:4], f"nested more than {MAX_DEPTH} deep, or contains itself")
    encoder = _ENCODERS.get(type(value))
    if encoder is not None:
        return encoder(value, path, leaf)
    if (node := leaf(value, path)) is not None:
        return node
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    raise refuse(
        path, f"{kind} has no exact form (give it as numbers, text, lists, dicts, tensors)"
    )


def decode(node: Json, leaf: DecodeLeaf) -> Any:
    """Return the value whose JSON form is `node`; `leaf` gets the tags it made itself."""
    match node:
        case list():
            return [decode(item, leaf) for item in node]
        case dict():
            tag = next(iter(node), "")
            if not tag.startswith("$"):
                return {key: decode(item, leaf) for key, item in node.items()}
            decoder = _DECODERS.get(tag)
            return leaf(node) if decoder is None else decoder(node, leaf)
        case _:
            return node


def no_leaf(value: object, path: Path) -> None:
    """Know no type beyond Python's own."""


def only_python(node: dict[str, Json]) -> object:
    """Refuse tags that `encode` with `no_leaf` does not make."""
    raise ValueError(f"unknown tag {next(iter(node))}")


def _itself(value: Json, path: Path, leaf: EncodeLeaf) -> Json:  # noqa: ARG001
    return value


def _int(value: int, path: Path, leaf: EncodeLeaf) -> Json:  # noqa: ARG001
    if value.bit_length() > MAX_BITS:
        raise refuse(path, f"an int of more than {MAX_BITS} bits")
    return value


def _text(value: str, path: Path, leaf: EncodeLeaf) -> Json:  # noqa: ARG001
    try:
        value.encode()
    except UnicodeEncodeError:
        raise refuse(path, f"{value!r} is not valid Unicode") from None
    return value


def _float(value: float, path: Path, leaf: EncodeLeaf) -> Json:  # noqa: ARG001
    return value if math.isfinite(value) else {"$float": str(value)}


def _complex(value: complex, path: Path, leaf: EncodeLeaf) -> Json:
    return {"$complex": [_float(value.real, path, leaf), _float(value.imag, path, leaf)]}


def _bytes(value: bytes, path: Path, leaf: EncodeLeaf) -> Json:  # noqa: ARG001
    return {"$bytes": base64.b64encode(value).decode()}


def _items(values: Any, path: Path, leaf: EncodeLeaf) -> list[Json]:
    return [encode(item, (*path, str(place)), leaf) for place, item in enumerate(values)]


def _pairs(value: dict[Any, Any], path: Path, leaf: EncodeLeaf) -> list[Json]:
    return [
        [encode(key, (*path, "<key>"), leaf), encode(item, (*path, str(key)), leaf)]
        for key, item in value.items()
    ]


def _dict(value: dict[Any, Any], path: Path, leaf: EncodeLeaf) -> Json:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {
            _text(key, path, leaf): encode(item, (*path, key), leaf) for key, item in value.items()
        }
    return {"$dict": _pairs(value, path, leaf)}


def _ordered(value: Any, path: Path, leaf: EncodeLeaf) -> Json:
    node = {"$ordered": _pairs(value, path, leaf)}
    if metadata := getattr(value, "_metadata", None):  # torch.nn.Module.state_dict's versions
        node["metadata"] = encode(metadata, (*path, "_metadata"), leaf)
    return node


def _decode_ordered(node: dict[str, Json], leaf: DecodeLeaf) -> Any:
    value: Any = OrderedDict(decode(node["$ordered"], leaf))
    if "metadata" in node:
        value._metadata = decode(node["metadata"], leaf)  # noqa: SLF001
    return value


_ENCODERS: dict[type, Callable[[Any, Path, EncodeLeaf], Json]] = {
    type(None): _itself,
    bool: _itself,
    int: _int,
    str: _text,
    float: _float,
    complex: _complex,
    bytes: _bytes,
    list: _items,
    tuple: lambda value, path, leaf: {"$tuple": _items(value, path, leaf)},
    set: lambda value, path, leaf: {"$set": _items(value, path, leaf)},
    frozenset: lambda value, path, leaf: {"$frozenset": _items(value, path, leaf)},
    dict: _dict,
    Counter: lambda value, path, leaf: {"$counter": _pairs(value, path, leaf)},
    OrderedDict: _ordered,
}

_DECODERS: dict[str, Callable[[dict[str, Json], DecodeLeaf], object]] = {
    "$float": lambda node, _: float(node["$float"]),
    "$complex": lambda node, leaf: complex(*decode(node["$complex"], leaf)),
    "$bytes": lambda node, _: base64.b64decode(node["$bytes"]),
    "$tuple": lambda node, leaf: tuple(decode(node["$tuple"], leaf)),
    "$set": lambda node, leaf: set(decode(node["$set"], leaf)),
    "$frozenset": lambda node, leaf: frozenset(decode(node["$frozenset"], leaf)),
    "$dict": lambda node, leaf: dict(decode(node["$dict"], leaf)),
    "$counter": lambda node, leaf: Counter(dict(decode(node["$counter"], leaf))),
    "$ordered": _decode_ordered,
}
