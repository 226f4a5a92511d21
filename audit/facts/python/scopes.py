"""Scopes of a Python module: which name stands for what, before anything is emitted."""

import ast
import builtins
from collections.abc import Iterable
from typing import TypeAlias

BUILTINS = frozenset(dir(builtins))

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
    match target:
        case ast.Name(id=name):
            scope.bind(name, (value, suffix))
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


def bind_body(scope: Scope, body: Iterable[ast.stmt]) -> None:  # noqa: C901 - one case a statement
    """Bind the names of a body's statements, nested blocks included, not nested scopes."""
    for node in body:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    bind_target(scope, target, value)
            case ast.AnnAssign(target=target, value=assigned, annotation=annotation):
                if assigned is not None:
                    bind_target(scope, target, assigned)
                bind_target(scope, target, annotation, "()")
            case ast.Import() | ast.ImportFrom():
                for name, origin in imports(node):
                    scope.bind(name, origin)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.bind(node.name, f"{scope.prefix}{node.name}")
            case ast.For(target=target, iter=source) | ast.AsyncFor(target=target, iter=source):
                bind_loop(scope, target, source)
                bind_body(scope, node.body)
                bind_body(scope, node.orelse)
            case ast.If() | ast.While():
                bind_body(scope, node.body)
                bind_body(scope, node.orelse)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        bind_target(scope, item.optional_vars, item.context_expr)
                bind_body(scope, node.body)
            case ast.Try() | ast.TryStar():
                bind_body(scope, node.body)
                for handler in node.handlers:
                    if handler.name:
                        scope.names.setdefault(handler.name, [])
                    bind_body(scope, handler.body)
                bind_body(scope, node.orelse)
                bind_body(scope, node.finalbody)
            case ast.Match():
                for case in node.cases:
                    bind_body(scope, case.body)
            case ast.Global():
                scope.globals.update(node.names)
    if scope.globals:
        _move_globals(scope)


def _move_globals(scope: Scope) -> None:
    """Give the module what a function binds to names that it declares global."""
    module = scope.module
    for name in scope.globals & scope.names.keys():
        module.names.setdefault(name, []).extend(scope.names.pop(name))
        module.memo.pop(name, None)
