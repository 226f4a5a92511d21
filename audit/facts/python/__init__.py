"""Python modules: parse once, resolve names, emit facts."""

import ast
from typing import cast

from audit.facts.model import PythonFacts
from audit.facts.python.backport import backport
from audit.facts.python.walk import walk

__all__ = ["extract", "parse"]


def extract(data: bytes) -> PythonFacts:
    """Return the facts of a Python module.

    Bytes go to the compiler as they are: it honours the byte order mark and
    the coding cookie (PEP 263).

    Raises:
        SyntaxError, ValueError: the parser does not accept the bytes.
        RecursionError, MemoryError: the code is nested beyond reason.
    """
    return walk(parse(data), data)


def parse(data: bytes) -> ast.Module:
    """Return the syntax tree of a module, of syntax that is newer than the interpreter, too.

    Raises: as `extract`.
    """
    try:
        return _compiled(data)
    except SyntaxError as refusal:
        older = backport(data)
        if older is None or older == data:
            raise
        try:
            return _compiled(older)
        except (SyntaxError, ValueError):
            raise refusal from None


def _compiled(data: bytes) -> ast.Module:
    tree = compile(data, "<blob>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    return cast("ast.Module", tree)
