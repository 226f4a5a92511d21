"""The element types a checkpoint holds: torch's names and safetensors' codes."""

from typing import NamedTuple


class DType(NamedTuple):
    """How an element type is stored; `trailing` is appended to the stored shape."""

    code: str
    itemsize: int
    trailing: tuple[int, ...] = ()


DTYPES = {
    "bool": DType("BOOL", 1),
    "uint8": DType("U8", 1),
    "int8": DType("I8", 1),
    "uint16": DType("U16", 2),
    "int16": DType("I16", 2),
    "uint32": DType("U32", 4),
    "int32": DType("I32", 4),
    "uint64": DType("U64", 8),
    "int64": DType("I64", 8),
    "float8_e4m3fn": DType("F8_E4M3", 1),
    "float8_e4m3fnuz": DType("F8_E4M3FNUZ", 1),
    "float8_e5m2": DType("F8_E5M2", 1),
    "float8_e5m2fnuz": DType("F8_E5M2FNUZ", 1),
    "float8_e8m0fnu": DType("F8_E8M0", 1),
    "float16": DType("F16", 2),
    "bfloat16": DType("BF16", 2),
    "float32": DType("F32", 4),
    "float64": DType("F64", 8),
    "complex64": DType("C64", 8),
    # safetensors has no complex128: (real, imaginary) pairs of float64
    "complex128": DType("F64", 16, (2,)),
}
