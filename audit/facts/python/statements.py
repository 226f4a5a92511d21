"""Statements: definitions, blocks, assignments, raises, imports."""

import ast
import re
import sys
from typing import Any, ClassVar, TypeAlias

from audit.facts.model import Assign, Command, Definition, Import, Raise
from audit.facts.python import docstrings
from audit.facts.python.canon import WIDTH, candidates, operator, quoted, resolve, text
from audit.facts.python.expressions import Emit, Expressions
from audit.facts.python.scopes import Scope, annotated, bind_body, imports
from audit.facts.python.shapes import defaults, is_stub, kinds, place, updates

LAUNCHERS = re.compile(
    r"\b(torchrun|accelerate launch|deepspeed |srun |mpirun |torch\.distributed\.(run|launch))"
)
Decorated: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_COMPUTED = (ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.UnaryOp)


def _annotation(one: ast.arg, scope: Scope) -> str:
    match one.annotation:
        case None:
            return ""
        case ast.Subscript(value=value, slice=ast.Tuple(elts=parts)):  # Annotated[int, Option()]
            inner = ", ".join(text(part, scope, 3) for part in parts)
            return f"{text(value, scope, 2)}[{inner}]"
    return text(one.annotation, scope, 4)


class Statements(Expressions):
    """Collects what the statements of a module say."""

    def __init__(self) -> None:
        super().__init__()
        self.definitions: list[Definition] = []
        self.assigns: list[Assign] = []
        self.raises: list[Raise] = []
        self.imports: list[Import] = []
        self.exports: list[str] = []
        self.commands: list[Command] = []
        self.pending: list[tuple[ast.FunctionDef | ast.AsyncFunctionDef, Scope]] = []

    def define(self, definition: Definition, body: list[ast.stmt]) -> int:
        """Add a definition, with the launch lines that its docstring shows; return its index."""
        self.definitions.append(definition)
        match body:
            case [ast.Expr(value=ast.Constant(value=str(prose), lineno=line)), *_] if (
                LAUNCHERS.search(prose)
            ):
                self.commands += [
                    Command(line + place, row.strip()[:WIDTH])
                    for place, row in enumerate(prose.splitlines())
                    if LAUNCHERS.search(row)
                ]
        return len(self.definitions) - 1

    def _class(self, node: ast.ClassDef, scope: Scope, block: int) -> None:
        name = f"{scope.prefix}{node.name}"[1:]
        bases = tuple(candidates(base, scope)[0] for base in node.bases)
        keywords = tuple(f"{k.arg}={candidates(k.value, scope)[0]}" for k in node.keywords)
        index = self.define(
            Definition(
                name, "class", node.lineno, node.end_lineno or node.lineno, scope.index,
                bases=bases + keywords, decorators=self._decorators(node, scope),
                stub=is_stub(node.body), said=docstrings.parameters(node.body),
            ),
            node.body,
        )  # fmt: skip
        self._decorator_calls(node, scope, block, index)
        inner = Scope(index, scope, f":{name}.")
        inner.owner = inner
        inner.names["super()"] = list(bases)
        bind_body(inner, node.body)
        for part in node.body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function_scope(part, inner)
        self.statements(node.body, inner, -1)

    def _function_scope(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> Scope:
        """Bind a function's scope; a method's also gives its class its attributes."""
        known = getattr(node, "codex_scope", None)
        if isinstance(known, Scope):
            return known
        name = f"{scope.prefix}{node.name}"[1:]
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        inner = Scope(-1, scope, f":{name}.")
        first = arguments.posonlyargs or arguments.args
        static = any(
            isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list
        )
        named = {one.arg for one in every}
        if not named.isdisjoint(inner.instances):
            inner.instances = {k: v for k, v in inner.instances.items() if k not in named}
        if scope.owner is scope and first and not static:
            inner.owner = scope
            inner.instances = {**inner.instances, first[0].arg: scope}
        for one in every:
            inner.bind(one.arg, f"@{one.arg}")
            if one.annotation is not None:
                for kind in annotated(one.annotation):
                    inner.bind(one.arg, (kind, "()"))
        bind_body(inner, node.body)
        node.codex_scope = inner  # type: ignore[union-attr]
        return inner

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, block: int
    ) -> None:
        inner = self._function_scope(node, scope)
        arguments = node.args
        params = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        params += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        doc = ast.get_docstring(node, clean=False) or ""
        inner.index = self.define(
            Definition(
                inner.prefix[1:-1], "function", node.lineno, node.end_lineno or node.lineno,
                scope.index, decorators=self._decorators(node, scope),
                params=tuple(one.arg for one in params), stub=is_stub(node.body),
                doctest=">>>" in doc, defaults=defaults(arguments, scope),
                kinds=kinds(arguments), said=docstrings.parameters(node.body),
                annotations=tuple([_annotation(one, scope) for one in params])
                if node.decorator_list
                else (),
            ),
            node.body,
        )  # fmt: skip
        self._decorator_calls(node, scope, block, inner.index)
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.expression(default, scope, block)
        for one in params:
            if one.annotation is not None:
                self.expression(one.annotation, scope, block)
        if node.returns is not None:
            self.expression(node.returns, scope, block)
            for kind in annotated(node.returns):
                if not (isinstance(kind, ast.Constant) and kind.value is None):
                    if isinstance(kind, ast.Constant):
                        known = quoted(kind, scope)
                    else:
                        known = f"{candidates(kind, scope)[0]}()"
                    if known[0] not in "'%N" and not known.startswith(("builtins.", "typing.")):
                        self.returns.setdefault(inner.index, {})[known] = None
        self.pending.append((node, inner))

    def _decorators(self, node: Decorated, scope: Scope) -> tuple[str, ...]:
        return tuple(candidates(one, scope)[0] for one in node.decorator_list)

    def _decorator_calls(
        self,
        node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
        scope: Scope,
        block: int,
        index: int,
    ) -> None:
        for one in node.decorator_list:
            if isinstance(one, ast.Call):
                self.call(one, scope, block, decorates=index)
                for part in (*one.args, *(keyword.value for keyword in one.keywords)):
                    self.expression(part, scope, block)
            else:
                self.expression(one, scope, block)

    def statements(self, body: list[ast.stmt], scope: Scope, block: int) -> None:
        """Emit the facts of a body's statements."""
        for node in body:
            emit = self._BY_STATEMENT.get(type(node))
            if emit is not None:
                emit(self, node, scope, block)

    def _expr(self, node: ast.Expr, scope: Scope, block: int) -> None:
        if type(node.value) is not ast.Constant:
            self.expression(node.value, scope, block)

    def _return(self, node: ast.Return, scope: Scope, block: int) -> None:
        if node.value is not None:
            self.returned(node.value, scope)
            self.expression(node.value, scope, block)

    def _if(self, node: ast.If, scope: Scope, block: int) -> None:
        self.expression(node.test, scope, block)
        words = text(node.test, scope)
        inner = self.block("if", node.lineno, words, block, updates(node))
        self.statements(node.body, scope, inner)
        if node.orelse:
            inner = self.block("else", node.orelse[0].lineno, words, block)
            self.statements(node.orelse, scope, inner)

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope, block: int) -> None:
        self.expression(node.iter, scope, block)
        inner = self.block("for", node.lineno, text(node.iter, scope), block)
        self.statements(node.body, scope, inner)
        self.statements(node.orelse, scope, block)

    def _while(self, node: ast.While, scope: Scope, block: int) -> None:
        self.expression(node.test, scope, block)
        inner = self.block("while", node.lineno, text(node.test, scope), block)
        self.statements(node.body, scope, inner)
        self.statements(node.orelse, scope, block)

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope, block: int) -> None:
        for item in node.items:
            self.expression(item.context_expr, scope, block)
            block = self.block("with", node.lineno, text(item.context_expr, scope), block)
        self.statements(node.body, scope, block)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope, _block: int) -> None:
        self.imports += [
            Import(scope.index, node.lineno, name, target) for name, target in imports(node)
        ]

    def _assert(self, node: ast.Assert, scope: Scope, block: int) -> None:
        self.expression(node.test, scope, block)
        inner = self.block("if", node.lineno, text(node.test, scope), block)
        said = node.msg is not None
        self.raises.append(Raise(scope.index, inner, node.lineno, "builtins.AssertionError", said))

    def _match(self, node: ast.Match, scope: Scope, block: int) -> None:
        self.expression(node.subject, scope, block)
        subject = text(node.subject, scope)
        for case in node.cases:
            words = f"{subject} case {ast.unparse(case.pattern)}"[:WIDTH]
            inner = self.block("case", case.pattern.lineno, words, block)
            self.statements(case.body, scope, inner)

    def _delete(self, node: ast.Delete, scope: Scope, block: int) -> None:
        for target in node.targets:
            self.expression(target, scope, block)

    def _try(self, node: ast.Try | ast.TryStar, scope: Scope, block: int) -> None:
        handled = " | ".join(
            text(handler.type, scope) if handler.type is not None else ""
            for handler in node.handlers
        )
        self.statements(node.body, scope, self.block("try", node.lineno, handled, block))
        for handler in node.handlers:
            words = text(handler.type, scope) if handler.type is not None else ""
            inner = self.block("except", handler.lineno, words, block)
            self.statements(handler.body, scope, inner)
        self.statements(node.orelse, scope, block)
        self.statements(node.finalbody, scope, block)

    def _raise(self, node: ast.Raise, scope: Scope, block: int) -> None:
        exc, line = node.exc, node.lineno
        if exc is None:
            return
        callee = exc.func if isinstance(exc, ast.Call) else exc
        message = isinstance(exc, ast.Call) and bool(exc.args or exc.keywords)
        self.raises.append(Raise(scope.index, block, line, candidates(callee, scope)[0], message))
        self.expression(exc, scope, block)

    def _assign(
        self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, scope: Scope, block: int
    ) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = node.value
        sign = f"{operator(node.op)}=" if isinstance(node, ast.AugAssign) else "="
        annotation = ""
        if isinstance(node, ast.AnnAssign):
            annotation = text(node.annotation, scope)
            self.expression(node.annotation, scope, block)
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple | ast.List) else (target,):
                self._target(part, value, scope, block, node.lineno, sign, annotation)
        if value is not None:
            self.expression(value, scope, block)

    def _alias(self, node: Any, scope: Scope, block: int) -> None:  # ast.TypeAlias, of 3.12
        self._target(node.name, node.value, scope, block, node.lineno, "=", "")
        self.expression(node.value, scope, block)

    def _target(
        self, target: ast.expr, value: ast.expr | None, scope: Scope, block: int, line: int,
        sign: str, annotation: str,
    ) -> None:  # fmt: skip
        lasting = True
        if isinstance(target, ast.Name):
            lasting = scope.parent is None or scope.owner is scope or sign != "="
            if target.id == "__all__" and value is not None:
                self._exports(value)
                return
            words = f":{target.id}" if scope.parent is None else f"%{target.id}"
            if scope.owner is scope:
                words = target.id
            elif target.id in scope.globals:
                words, lasting = f":{target.id}", True
            elif scope.find(target.id) is not None and sign != "=":
                words = resolve(scope, target.id)[0]
        else:
            words = place(target, scope)
            if isinstance(target, ast.Subscript):
                self.expression(target.slice, scope, block)
                self.expression(target.value, scope, block)
        if lasting or isinstance(value, _COMPUTED):
            said = text(value, scope) if value is not None else ""
            self.assigns.append(
                Assign(scope.index, block, line, words[:WIDTH], said, sign, annotation)
            )

    def _exports(self, value: ast.expr) -> None:
        if isinstance(value, ast.List | ast.Tuple):
            self.exports += [
                one.value
                for one in value.elts
                if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]

    # By type, not by a chain of patterns: this runs for every node of a cold run.
    _BY_STATEMENT: ClassVar[dict[type, Emit]] = {
        ast.Expr: _expr, ast.Return: _return, ast.If: _if, ast.For: _for, ast.AsyncFor: _for,
        ast.While: _while, ast.With: _with, ast.AsyncWith: _with, ast.Try: _try,
        ast.TryStar: _try, ast.Assign: _assign, ast.AnnAssign: _assign, ast.AugAssign: _assign,
        ast.FunctionDef: _function, ast.AsyncFunctionDef: _function, ast.ClassDef: _class,
        ast.Raise: _raise, ast.Import: _import, ast.ImportFrom: _import, ast.Assert: _assert,
        ast.Match: _match, ast.Delete: _delete,
    }  # fmt: skip
    if sys.version_info >= (3, 12):
        _BY_STATEMENT[ast.TypeAlias] = _alias
