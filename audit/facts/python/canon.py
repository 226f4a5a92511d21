"""Canonical text of expressions: names resolved, locals replaced by their origin."""

import ast
import re
from typing import Any

from audit.facts.python.scopes import BUILTINS, Origin, Scope

DEPTH = 5  # nested expressions below this are written as an ellipsis
WIDTH = 240  # characters of one canonical text
CANDIDATES = 4  # origins of one name that are followed

# Methods that return what they are called on, as far as a reader is concerned.
FLUENT = frozenset(
    {
        "to", "cuda", "cpu", "eval", "train", "half", "float", "double", "bfloat16", "detach",
        "requires_grad_", "contiguous", "clone",
    }
)  # fmt: skip
CONVERSIONS = frozenset({"int", "float", "bool", "str"})  # read as what they convert
WRAPPED = frozenset({"module", "_orig_mod"})  # attributes under which wrappers keep their model

_ENVIRONMENT = frozenset({"os.environ.get", "os.getenv"})
_WEAK = frozenset(
    {"None", "True", "False", "[]", "{}", "()", "…", "builtins.dict()", "builtins.list()"}
)

_CONTAINERS = frozenset(
    f"{one}()"
    for one in (
        "typing.Dict typing.List typing.Set typing.DefaultDict typing.OrderedDict typing.Mapping "
        "typing.MutableMapping typing.Sequence collections.abc.Mapping "
        "collections.abc.MutableMapping collections.defaultdict collections.OrderedDict "
        "collections.UserDict builtins.set "
        "weakref.WeakValueDictionary weakref.WeakKeyDictionary types.MappingProxyType"
    ).split()
)
"""What a module's name is made by that says nothing of what it will hold."""

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.MatMult: "@", ast.BitOr: "|", ast.BitAnd: "&", ast.BitXor: "^",
    ast.LShift: "<<", ast.RShift: ">>", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=",
    ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not", ast.In: "in",
    ast.NotIn: "not in", ast.And: "and", ast.Or: "or", ast.Not: "not ", ast.USub: "-",
    ast.UAdd: "+", ast.Invert: "~",
}  # fmt: skip


# A literal is written as an instance of its type, so that methods on it read well.
_TYPED = {"{": "builtins.dict()", "[": "builtins.list()", "'": "builtins.str()"}

_TABLE = re.compile(r"\{('|.* for\}$)").match  # a mapping's display or comprehension


def operator(node: ast.AST) -> str:
    """Return the source text of an operator."""
    return _OPERATORS[type(node)]


def resolve(scope: Scope, name: str) -> tuple[str, ...]:
    """Return what a name may stand for, at most `CANDIDATES` texts, best first."""
    home = scope.find(name)
    if home is None:
        if name in BUILTINS:
            return (f"builtins.{name}",)
        return (f":{name}",) if "*" in scope.module.names else (f"%{name}",)  # a star may bring it
    known = home.memo.get(name)
    if known is None:
        identity = f":{name}" if home.parent is None else f"%{name}"
        home.memo[name] = (identity,)  # a name may be assigned from itself
        known = _origins(home, home.names[name], home.items.get(name, ())) or (identity,)
        if home.parent is None and _is_plain(known[0]):
            known = (identity, *known[: CANDIDATES - 1])  # a setting reads better than its value
        home.memo[name] = known
    return known


def _origins(
    scope: Scope, origins: list[Origin], items: object = (), depth: int = 2
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    weak: dict[str, None] = {}
    for origin in origins:
        if isinstance(origin, str):
            texts: tuple[str, ...] = (origin,)
        else:
            node, suffix = origin
            if isinstance(node, ast.Dict | ast.Call) and items and not suffix:
                texts = (_with_items(node, scope, items),)
            elif isinstance(node, ast.Constant) and suffix == "()":
                texts = (quoted(node, scope),)
            else:
                texts = tuple(_suffixed(text, suffix) for text in candidates(node, scope, depth))
        for one in texts:
            (weak if is_weak(one) else found)[one] = None
        if len(found) >= CANDIDATES:
            break
    return tuple([*found, *weak][:CANDIDATES])


def is_weak(words: str) -> bool:
    """Tell whether a text says little about where a value comes from: constants, unknowns."""
    return words[0] in "%'-0123456789" or words in _WEAK


def _is_plain(words: str) -> bool:
    """Tell whether a module's name says more than what it is made of: constants, mappings."""
    return is_weak(words) or words in _CONTAINERS or bool(_TABLE(words))


def _suffixed(text: str, suffix: str) -> str:
    if suffix == "()" and text.endswith("()"):
        return text
    return (text + suffix)[:WIDTH]


def quoted(node: ast.Constant, scope: Scope) -> str:
    """Resolve a quoted annotation to an instance of what it names."""
    head, _, rest = str(node.value).partition(".")
    if not head.isidentifier():
        return "%"
    return f"{resolve(scope, head)[0]}{'.' + rest if rest else ''}()"


def _with_items(node: ast.expr, scope: Scope, items: object) -> str:
    """Write a dict together with the keys that later statements set on it."""
    base = text(node, scope, 2)
    assert isinstance(items, list)
    rows = [f"{text(key, scope, 2)}: {text(value, scope, 2)}" for key, value in items[:12]]
    if base.endswith("}"):
        inner = base[1:-1]
        return ("{" + ", ".join([inner, *rows] if inner else rows) + "}")[: 2 * WIDTH]
    return base


def candidates(node: Any, scope: Scope, depth: int = DEPTH) -> tuple[str, ...]:
    """Return every text that an expression may stand for, best first."""
    # By type, the most frequent first: this is the hottest function of a cold run.
    kind = type(node)
    if kind is ast.Name:
        return ("self",) if node.id in scope.instances else resolve(scope, node.id)
    if kind is ast.Attribute:
        return _attribute(node.value, node.attr, scope, depth)
    if kind is ast.Constant or depth <= 0:
        return (text(node, scope, depth),)
    if kind is ast.Call:
        return _called(node, scope, depth)
    return _other(node, scope, depth)


def _called(node: ast.Call, scope: Scope, depth: int) -> tuple[str, ...]:
    """Return what the result of a call may stand for."""
    func, args = node.func, node.args
    if isinstance(func, ast.Attribute) and func.attr in FLUENT:
        return candidates(func.value, scope, depth)
    if isinstance(func, ast.Name):
        if func.id == "super":
            return _super(scope)
        if func.id in CONVERSIONS and len(args) == 1:
            return candidates(args[0], scope, depth)
    made = candidates(func, scope, depth - 1)
    if made[0] in _ENVIRONMENT and args:
        return (f"os.environ[{text(args[0], scope, 1)}]",)
    return tuple([f"{one}()" for one in made])


def _other(node: ast.expr, scope: Scope, depth: int) -> tuple[str, ...]:
    match node:
        case ast.IfExp(body=body, orelse=orelse):
            both = candidates(body, scope, depth - 1) + candidates(orelse, scope, depth - 1)
            return tuple(dict.fromkeys(both))[:CANDIDATES]
        case ast.BoolOp(values=values):
            found = [one for value in values for one in candidates(value, scope, depth - 1)]
            return tuple(dict.fromkeys(found))[:CANDIDATES]
        case ast.Await(value=value) | ast.NamedExpr(value=value):
            return candidates(value, scope, depth)
        case ast.Subscript(value=value, slice=key):
            index = f"[{key.value!r}]" if isinstance(key, ast.Constant) else "[]"
            return tuple([one + index for one in candidates(value, scope, depth - 1)])
    return (text(node, scope, depth),)


def _super(scope: Scope) -> tuple[str, ...]:
    owner = scope.owner
    bases = owner.names.get("super()", ()) if owner is not None else ()
    return tuple(f"{base}()" for base in bases if isinstance(base, str)) or ("super()",)


def _attribute(value: ast.expr, attr: str, scope: Scope, depth: int) -> tuple[str, ...]:
    if attr in WRAPPED:
        return candidates(value, scope, depth)
    if type(value) is ast.Name:
        if (owner := scope.instances.get(value.id)) is not None:
            return _member(owner, attr)
        bases = resolve(scope, value.id)
    else:
        bases = candidates(value, scope, depth)
    return tuple([f"{_TYPED.get(base[0], base)}.{attr}" for base in bases])


def _member(owner: Scope, attr: str) -> tuple[str, ...]:
    """Return what ``self.attr`` may stand for: the attribute itself, then its origins."""
    key = f"self.{attr}"
    known = owner.memo.get(key)
    if known is None:
        if isinstance(method := (owner.names.get(attr) or [""])[0], str) and method:
            known = (method,)
        else:
            owner.memo[key] = (key,)
            found = {key: None}
            for home, origin in owner.attributes.get(attr, ())[:CANDIDATES]:
                found |= dict.fromkeys(_origins(home, [origin]))
            if attr in owner.names:
                found |= dict.fromkeys(_origins(owner, owner.names[attr]))
            known = tuple(one for one in found if not is_weak(one))
            known = known[: CANDIDATES + 1]
        owner.memo[key] = known
    return known


def argument(node: ast.expr, scope: Scope) -> str:
    """Return the text of an argument: for a name, all that it may stand for, joined by `` | ``."""
    if isinstance(node, ast.Name):
        return " | ".join(candidates(node, scope))[: 2 * WIDTH]
    return text(node, scope, 4)


def text(node: Any, scope: Scope, depth: int = DEPTH) -> str:
    """Return the canonical text of an expression, at most about `WIDTH` characters."""
    kind = type(node)
    if kind is ast.Constant:
        return repr(node.value)[:80] if node.value is not ... else "..."
    if depth <= 0:
        return "…"
    if kind in _REFERRING:
        return candidates(node, scope, depth)[0][:WIDTH]
    return _compound(node, scope, depth - 1)[:WIDTH]


_REFERRING = frozenset({ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Await})


def _compound(node: ast.expr, scope: Scope, depth: int) -> str:  # noqa: C901 - a case a node
    match node:
        case ast.Dict(keys=keys, values=values):
            rows = (
                f"{text(key, scope, depth) if key else '**'}: {text(value, scope, depth)}"
                for key, value in zip(keys[:24], values[:24], strict=True)
            )
            return "{" + ", ".join(rows) + "}"
        case ast.List(elts=elts) | ast.Set(elts=elts):
            return "[" + ", ".join(text(one, scope, depth) for one in elts[:16]) + "]"
        case ast.Tuple(elts=elts):
            return "(" + ", ".join(text(one, scope, depth) for one in elts[:16]) + ")"
        case ast.BinOp(left=left, op=op, right=right):
            return f"{text(left, scope, depth)} {operator(op)} {text(right, scope, depth)}"
        case ast.BoolOp(op=op, values=values):
            return f" {operator(op)} ".join(text(one, scope, depth) for one in values[:8])
        case ast.UnaryOp(op=op, operand=operand):
            return f"{operator(op)}{text(operand, scope, depth)}"
        case ast.Compare(left=left, ops=ops, comparators=others):
            rest = (
                f" {operator(op)} {text(one, scope, depth)}"
                for op, one in zip(ops, others, strict=True)
            )
            return text(left, scope, depth) + "".join(rest)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            parts = (text(one, scope, depth) for one in (body, test, orelse))
            return "{} if {} else {}".format(*parts)
        case ast.JoinedStr(values=values):
            return "f'" + "".join(_piece(one, scope, depth) for one in values[:12]) + "'"
        case ast.Starred(value=value):
            return f"*{text(value, scope, depth)}"
        case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
            return f"[{text(elt, scope, depth)} for]"
        case ast.DictComp(key=key, value=value):
            return "{" + f"{text(key, scope, depth)}: {text(value, scope, depth)} for" + "}"
        case ast.NamedExpr(value=value) | ast.YieldFrom(value=value):
            return text(value, scope, depth)
        case ast.Lambda(body=body):
            return f"lambda: {text(body, scope, depth)}"
        case ast.Slice():
            return ":"
    return "…"


def _piece(node: ast.expr, scope: Scope, depth: int) -> str:
    match node:
        case ast.Constant(value=value):
            return str(value)[:60]
        case ast.FormattedValue(value=value):
            return "{" + text(value, scope, depth) + "}"
    return "…"
