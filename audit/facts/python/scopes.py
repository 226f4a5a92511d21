"""Scopes of a Python module: which name stands for what, before anything is emitted."""

import ast
import builtins
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

BUILTINS = frozenset(dir(builtins))
_IMPORTERS: Final = frozenset(
    {
        "import_module", "optional_import", "lazy_import", "try_import", "safe_import",
        "safe_import_from", "soft_import", "attempt_import", "maybe_import", "import_or_none",
        "import_optional", "import_optional_dependency", "LazyLoader", "LazyImport", "LazyModule",
    }
)  # fmt: skip
"""Functions and classes that import by name: of the standard library, and as repositories call
their own helpers for dependencies that may be missing."""

# An origin of a name: canonical text, or an expression to canonicalise with a suffix.
Origin: TypeAlias = str | tuple[ast.expr, str]


class Scope:
    """A module, class or function: its names and their origins."""

    __slots__ = (
        "attributes", "globals", "index", "instances", "items", "memo", "names", "owner", "parent",
        "prefix",
    )  # fmt: skip

    def __init__(self, index: int, parent: "Scope | None", prefix: str) -> None:
        self.index = index
        self.parent = parent
        self.prefix = prefix
        """What a definition made in this scope is called: ``:``, ``:Trainer.`` ..."""
        self.names: dict[str, list[Origin]] = {}
        self.items: dict[str, list[tuple[ast.expr, ast.expr]]] = {}
        self.memo: dict[str, tuple[str, ...]] = {}
        self.globals: set[str] = set()
        self.attributes: dict[str, list[tuple[Scope, Origin]]] = {}
        """Of a class: attribute -> the methods' scopes that assign it, with what."""
        self.owner: Scope | None = None
        """The class scope of a method; the scope itself for a class."""
        self.instances: dict[str, Scope] = parent.instances if parent is not None else {}
        """Names that stand for an instance of a class: ``self``, ``cls``."""

    @property
    def module(self) -> "Scope":
        """The module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str, origin: Origin) -> None:
        """Add an origin of a name."""
        self.names.setdefault(name, []).append(origin)

    def find(self, name: str) -> "Scope | None":
        """Return the scope that binds a name, None for builtins and unknown names."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or scope.owner is not scope):
                return scope
            scope = scope.parent
        return None


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for a chain of attributes on a name, else an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))


def imports(node: ast.Import | ast.ImportFrom) -> Iterable[tuple[str, str]]:
    """Yield ``(local name, target)`` for each name that an import binds."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.asname, alias.name
            else:
                top = alias.name.partition(".")[0]
                yield top, top
        return
    base = "." * node.level + (node.module or "")
    for alias in node.names:
        joiner = "" if base.endswith(".") else "."
        yield alias.asname or alias.name, f"{base}{joiner}{alias.name}"


def bind_target(scope: Scope, target: ast.expr, value: ast.expr, suffix: str = "") -> None:
    """Bind every name in an assignment target to its value."""
    if type(target) is ast.Name:
        scope.bind(target.id, (value, suffix))
        return
    match target:
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(elts):
                for part, item in zip(elts, value.elts, strict=True):
                    bind_target(scope, part, item, suffix)
            else:
                for place, part in enumerate(elts):
                    bind_target(scope, part, value, f"{suffix}[{place}]")
        case ast.Starred(value=inner):
            bind_target(scope, inner, value, suffix + "[]")
        case ast.Attribute(value=ast.Name(id=base), attr=attr):
            if (owner := scope.instances.get(base)) is not None:
                owner.attributes.setdefault(attr, []).append((scope, (value, suffix)))
        case ast.Subscript(value=ast.Name(id=base), slice=key):
            scope.items.setdefault(base, []).append((key, value))


def bind_loop(scope: Scope, target: ast.expr, source: ast.expr) -> None:
    """Bind a loop's target: what ``enumerate``, ``zip`` and ``items`` hand on is looked through."""
    match target, source:
        case ast.Tuple(elts=[count, one]), ast.Call(func=ast.Name(id="enumerate"), args=[rows, *_]):
            bind_target(scope, count, source, "[][0]")
            bind_loop(scope, one, rows)
        case ast.Tuple(elts=parts), ast.Call(func=ast.Name(id="zip"), args=rows) if len(
            parts
        ) == len(rows):
            for part, row in zip(parts, rows, strict=True):
                bind_loop(scope, part, row)
        case ast.Tuple(elts=[key, one]), ast.Call(func=ast.Attribute(value=table, attr="items")):
            bind_target(scope, key, source, "[][0]")
            bind_target(scope, one, table, "[]")
        case _:
            bind_target(scope, target, source, "[]")


def bind_body(scope: Scope, body: Iterable[ast.stmt]) -> None:
    """Bind the names of a body's statements, nested blocks included, not nested scopes."""
    for node in body:
        bind = _BINDERS.get(type(node))
        if bind is not None:
            bind(scope, node)
    if scope.globals:
        _move_globals(scope)


def annotated(node: ast.expr) -> list[ast.expr]:
    """Return the types that an annotation allows: unions and Optional taken apart."""
    match node:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return annotated(left) + annotated(right)
        case ast.Subscript(value=value, slice=inner):
            name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
            if name == "Optional":
                return annotated(inner)
            if name == "Union" and isinstance(inner, ast.Tuple):
                return [kind for one in inner.elts for kind in annotated(one)]
            return [value]
        case ast.Constant(value=None):
            return []
    return [node]


def imported(node: ast.expr) -> str:
    """Return what a call imports by its name: ``fire`` of ``optional_import("fire")``."""
    if type(node) is not ast.Call:
        return ""
    func = node.func
    named = func.attr if type(func) is ast.Attribute else getattr(func, "id", "")
    if named not in _IMPORTERS:
        return ""
    given = [*node.args, *(one.value for one in node.keywords if one.arg == "name")]
    texts = [one.value for one in given if type(one) is ast.Constant and type(one.value) is str]
    module, *rest = texts or [""]
    if len(rest) == 1 and len(node.args) == 3:
        return rest[0]  # a lazy loader: local name, globals, module
    joined = ".".join((module, *filter(str.isidentifier, rest[:1])))
    return joined if joined.replace(".", "_").isidentifier() and module[0] != "." else ""


def _bind_import(scope: Scope, target: ast.expr, origin: str) -> None:
    """Bind a target to a module or object; helpers may tell in a second value if it was found."""
    match target:
        case ast.Name(id=name):
            scope.bind(name, origin)
        case ast.Attribute(value=ast.Name(id=base), attr=attr):
            if (owner := scope.instances.get(base)) is not None:
                owner.attributes.setdefault(attr, []).append((scope, origin))
        case ast.Tuple(elts=[first, *rest]):
            _bind_import(scope, first, origin)
            for one in rest:
                bind_target(scope, one, ast.Constant(value=True))


def _assign(scope: Scope, node: ast.Assign) -> None:
    origin = imported(node.value)
    for target in node.targets:
        if origin:
            _bind_import(scope, target, origin)
        else:
            bind_target(scope, target, node.value)


def _annotated(scope: Scope, node: ast.AnnAssign) -> None:
    if node.value is not None:
        bind_target(scope, node.target, node.value)
    for kind in annotated(node.annotation):
        bind_target(scope, node.target, kind, "()")


def _alias(scope: Scope, node: Any) -> None:  # ast.TypeAlias, of Python 3.12
    bind_target(scope, node.name, node.value)


def _import(scope: Scope, node: ast.Import | ast.ImportFrom) -> None:
    for name, origin in imports(node):
        scope.bind(name, origin)


def _define(scope: Scope, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
    scope.bind(node.name, f"{scope.prefix}{node.name}")


def _loop(scope: Scope, node: ast.For | ast.AsyncFor) -> None:
    bind_loop(scope, node.target, node.iter)
    _branches(scope, node)


def _branches(scope: Scope, node: ast.For | ast.AsyncFor | ast.If | ast.While) -> None:
    bind_body(scope, node.body)
    bind_body(scope, node.orelse)


def _with(scope: Scope, node: ast.With | ast.AsyncWith) -> None:
    for item in node.items:
        if item.optional_vars is not None:
            bind_target(scope, item.optional_vars, item.context_expr)
    bind_body(scope, node.body)


def _try(scope: Scope, node: ast.Try | ast.TryStar) -> None:
    bind_body(scope, node.body)
    for handler in node.handlers:
        if handler.name:
            scope.names.setdefault(handler.name, [])
        bind_body(scope, handler.body)
    bind_body(scope, node.orelse)
    bind_body(scope, node.finalbody)


def _match(scope: Scope, node: ast.Match) -> None:
    for case in node.cases:
        bind_body(scope, case.body)


def _global(scope: Scope, node: ast.Global) -> None:
    scope.globals.update(node.names)


_BINDERS: Final[dict[type, Callable[[Scope, Any], None]]] = {
    ast.Assign: _assign, ast.AnnAssign: _annotated, ast.Import: _import, ast.ImportFrom: _import,
    ast.FunctionDef: _define, ast.AsyncFunctionDef: _define, ast.ClassDef: _define,
    ast.For: _loop, ast.AsyncFor: _loop, ast.If: _branches, ast.While: _branches,
    ast.With: _with, ast.AsyncWith: _with, ast.Try: _try, ast.TryStar: _try, ast.Match: _match,
    ast.Global: _global,
}  # fmt: skip
if sys.version_info >= (3, 12):
    _BINDERS[ast.TypeAlias] = _alias


def _move_globals(scope: Scope) -> None:
    """Give the module what a function binds to names that it declares global."""
    module = scope.module
    for name in scope.globals & scope.names.keys():
        module.names.setdefault(name, []).extend(scope.names.pop(name))
        module.memo.pop(name, None)
