"""Questions about a piece of syntax: what it targets, allows, compares, does."""

import ast

from audit.facts.python.canon import resolve, text
from audit.facts.python.scopes import Scope, dotted


def place(target: ast.expr, scope: Scope) -> str:
    """Write an assignment target so that its identity stays, not its origin."""
    match target:
        case ast.Name(id=name) if name in scope.instances:
            return "self"
        case ast.Name(id=name):
            home = scope.find(name)
            if home is not None and home.parent is None:
                return (
                    f":{name}"
                    if isinstance(home.names[name][0], tuple)
                    else resolve(scope, name)[0]
                )
            return resolve(scope, name)[0]
        case ast.Attribute(value=value, attr=attr):
            if isinstance(value, ast.Name) and value.id in scope.instances:
                return f"self.{attr}"
            return f"{place(value, scope)}.{attr}"
        case ast.Subscript(value=value, slice=key):
            return f"{place(value, scope)}[{text(key, scope, 3)}]"
        case ast.Starred(value=value):
            return place(value, scope)
    return text(target, scope)


def kinds(arguments: ast.arguments) -> str:
    """Return a letter for the kind of each parameter, as `Definition.kinds` names them."""
    counts = (len(arguments.posonlyargs), len(arguments.args), len(arguments.kwonlyargs))
    letters = "".join(letter * count for letter, count in zip("/.k", counts, strict=True))
    return letters + "*" * bool(arguments.vararg) + "^" * bool(arguments.kwarg)


def defaults(arguments: ast.arguments, scope: Scope) -> tuple[tuple[str, str], ...]:
    """Return each parameter that has a default, with the default's text."""
    positional = [*arguments.posonlyargs, *arguments.args]
    last = positional[len(positional) - len(arguments.defaults) :]
    pairs = [
        *zip(last, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return tuple((one.arg, text(value, scope, 2)) for one, value in pairs if value is not None)


def updates(node: ast.If) -> bool:
    """Tell whether the body gives a name that the condition compares the value it compares it
    with: ``if loss < best: best = loss``."""
    given = [
        (name, one.value)
        for one in node.body
        if isinstance(one, ast.Assign) and (name := dotted(one.targets[0]))
    ]
    for one in ast.walk(node.test) if given else ():
        sides = _sides(one)
        names = {dotted(side) for side in sides}
        for own, value in given:
            if own in names:
                held = {ast.dump(part) for part in ast.walk(value)}
                if any(ast.dump(side) in held for side in sides if dotted(side) != own):
                    return True
    return False


def _sides(node: ast.AST) -> list[ast.expr]:
    """Return what an ordering compares, or hands to a function that may compare."""
    match node:
        case ast.Call(args=[_, _, *_] as args):
            return args
        case ast.Compare(left=left, ops=ops, comparators=others) if any(
            isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in ops
        ):
            return [left, *others]
    return []


def is_stub(body: list[ast.stmt]) -> bool:
    """Tell whether a body does nothing but say so."""
    for node in body:
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case ast.Raise(exc=ast.Name(id="NotImplementedError")):
                continue
            case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))):
                continue
            case ast.Return(value=None | ast.Constant(value=None)):
                continue
        return False
    return True
