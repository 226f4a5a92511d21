"""Python modules: parse once, resolve names, emit facts."""

import ast
from typing import cast

from audit.facts.model import PythonFacts
from audit.facts.python.walk import walk

__all__ = ["extract"]


def extract(data: bytes) -> PythonFacts:
    """Return the facts of a Python module.

    Bytes go to the compiler as they are: it honours the byte order mark and
    the coding cookie (PEP 263).

    Raises:
        SyntaxError, ValueError: the parser does not accept the bytes.
        RecursionError, MemoryError: the code is nested beyond reason.
    """
    flags = ast.PyCF_ONLY_AST
    tree = compile(data, "<blob>", "exec", flags, dont_inherit=True)
    return walk(cast("ast.Module", tree), data)
