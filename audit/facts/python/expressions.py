"""Expressions: the calls and references inside them."""

import ast
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeAlias

from audit.facts.model import Block, Call, Record
from audit.facts.python.canon import argument, candidates, text
from audit.facts.python.scopes import Scope

# Fields of expressions that hold no expression.
_LEAVES = frozenset({"ctx", "op", "ops", "conversion", "kind", "id", "attr"})
_CHILDREN: Final[dict[type, tuple[str, ...]]] = {
    kind: tuple(field for field in kind._fields if field not in _LEAVES)
    for kind in ast.expr.__subclasses__()
}
Emit: TypeAlias = Callable[[Any, Any, Scope, int], None]
"""Emits the facts of a node: walker, node, scope, block."""


_TARGETS = frozenset({"_target_", "target", "class_path"})
"""Keys under which descriptions of objects (Hydra, LightningCLI, latent diffusion) name a class."""
_PARAMETERS = frozenset({"params", "init_args"})
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.[A-Z]\w*")


class Expressions:
    """Collects what the expressions of a module say."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.calls: list[Call] = []
        self.references: dict[tuple[int, str], int] = {}
        self.returns: dict[int, dict[str, None]] = {}
        self.records: list[Record] = []

    def expression(self, node: Any, scope: Scope, block: int) -> None:
        """Emit the calls and references inside an expression."""
        kind = type(node)
        if kind is ast.Constant:
            return
        if kind is ast.Name:
            self._reference(node, scope)
            return
        emit = self._BY_TYPE.get(kind)
        if emit is not None:
            emit(self, node, scope, block)
            return
        for field in _CHILDREN[kind]:
            part = getattr(node, field)
            if type(part) is list:
                for one in part:
                    self.expression(one, scope, block)
            elif part is not None:
                self.expression(part, scope, block)

    def _attribute(self, node: ast.Attribute, scope: Scope, block: int) -> None:
        self._reference(node, scope)
        self._base(node, scope, block)

    def _base(self, node: ast.expr, scope: Scope, block: int) -> None:
        """Emit what a chain of attributes starts with, a name apart."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if type(node) is not ast.Name:
            self.expression(node, scope, block)

    def _called(self, node: ast.Call, scope: Scope, block: int) -> None:
        self.call(node, scope, block)
        self._base(node.func, scope, block)
        for one in node.args:
            self.expression(one, scope, block)
        for keyword in node.keywords:
            self.expression(keyword.value, scope, block)

    def _subscript(self, node: ast.Subscript, scope: Scope, block: int) -> None:
        value = node.value
        named = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
        if named == "environ" and isinstance(node.ctx, ast.Load):
            self._reference(node, scope)
        else:
            self.expression(value, scope, block)
        self.expression(node.slice, scope, block)

    def _dict(self, node: ast.Dict, scope: Scope, block: int) -> None:
        keys = [
            one.value
            for one in node.keys
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        if len(keys) > 1:
            self.records.append(Record(node.lineno, tuple(keys[:60]), len(keys) < len(node.keys)))
        if not _TARGETS.isdisjoint(keys):
            self._described(node, scope, block)
        for one in (*node.keys, *node.values):
            if one is not None:  # the key of ``**more``
                self.expression(one, scope, block)

    def _described(self, node: ast.Dict, scope: Scope, block: int) -> None:
        """Note the call that a description stands for: ``{"_target_": "torch.optim.AdamW"}``."""
        given = {
            one.value: value
            for one, value in zip(node.keys, node.values, strict=True)
            if isinstance(one, ast.Constant)
        }
        made = next(given[one] for one in given if one in _TARGETS)
        if not isinstance(made, ast.Constant) or not _DOTTED.fullmatch(str(made.value)):
            return
        inner = next((given[one] for one in given if one in _PARAMETERS), None)
        if isinstance(inner, ast.Dict):
            rows = zip(inner.keys, inner.values, strict=True)
            given = {one.value: value for one, value in rows if isinstance(one, ast.Constant)}
        kwargs = tuple(
            (str(name), argument(value, scope))
            for name, value in given.items()
            if name not in _TARGETS and name not in _PARAMETERS
        )
        name = (str(made.value),)
        self.calls.append(Call(scope.index, block, node.lineno, name, (), kwargs[:40]))

    def _lambda(self, node: ast.Lambda, scope: Scope, block: int) -> None:
        for one in node.args.args:
            if one.arg not in scope.names:
                scope.bind(one.arg, f"@{one.arg}")
                scope.memo.pop(one.arg, None)
        self.expression(node.body, scope, block)

    def _named(self, node: ast.NamedExpr, scope: Scope, block: int) -> None:
        name = node.target.id
        if name not in scope.names:
            scope.bind(name, (node.value, ""))
            scope.memo.pop(name, None)
        self.expression(node.value, scope, block)

    def _yield(self, node: ast.Yield | ast.YieldFrom, scope: Scope, block: int) -> None:
        if node.value is not None:
            self.returns.setdefault(scope.index, {})["yield"] = None
            if isinstance(node, ast.Yield):
                self.returned(node.value, scope)
            self.expression(node.value, scope, block)

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        scope: Scope,
        block: int,
    ) -> None:
        for part in node.generators:
            for name in ast.walk(part.target):
                if isinstance(name, ast.Name) and name.id not in scope.names:
                    scope.bind(name.id, (part.iter, "[]"))
                    scope.memo.pop(name.id, None)
            self.expression(part.iter, scope, block)
            block = self.block("for", node.lineno, text(part.iter, scope), block)
            for test in part.ifs:
                self.expression(test, scope, block)
        elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        for element in elements:
            self.expression(element, scope, block)

    def _reference(self, node: ast.expr, scope: Scope) -> None:
        """Note an imported or module-level name; what a local holds was noted where it was made."""
        root = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        home = scope.find(root.id) if isinstance(root, ast.Name) else None
        if home is None or not isinstance(root, ast.Name):
            return
        origin = home.names[root.id][:1]
        if home.parent is not None and not (origin and isinstance(origin[0], str)):
            return
        for name in candidates(node, scope)[:2]:
            imported = name[0].isalpha() and not name.startswith(("builtins.", "self."))
            variable = name.startswith("os.environ['")
            if variable or ((imported or name[0] in ":.") and name[-1] not in ")]"):
                self.references.setdefault((scope.index, name), node.lineno)

    def call(self, node: ast.Call, scope: Scope, block: int, decorates: int = -1) -> None:
        """Note a call; `decorates` is the index of the definition that it decorates."""
        self.calls.append(
            Call(
                scope.index, block, node.lineno, candidates(node.func, scope),
                tuple([argument(one, scope) for one in node.args[:8]]),
                tuple([(k.arg or "**", argument(k.value, scope)) for k in node.keywords[:40]]),
                decorates,
            )
        )  # fmt: skip

    def block(self, kind: str, line: int, words: str, parent: int, updates: bool = False) -> int:
        """Open a block; return its index."""
        self.blocks.append(Block(kind, line, words, parent, updates))  # type: ignore[arg-type]
        return len(self.blocks) - 1

    def returned(self, value: ast.expr, scope: Scope) -> None:
        """Note a value that a function returns or yields."""
        known = self.returns.setdefault(scope.index, {})
        if len(known) < 6:
            known |= dict.fromkeys(candidates(value, scope)[:2])

    # By type, not by a chain of patterns: this runs for every node of a cold run.
    _BY_TYPE: ClassVar[dict[type, Emit]] = {
        ast.Attribute: _attribute, ast.Call: _called, ast.Subscript: _subscript,
        ast.ListComp: _comprehension, ast.SetComp: _comprehension, ast.Lambda: _lambda,
        ast.GeneratorExp: _comprehension, ast.DictComp: _comprehension, ast.NamedExpr: _named,
        ast.Yield: _yield, ast.YieldFrom: _yield, ast.Dict: _dict,
    }  # fmt: skip
