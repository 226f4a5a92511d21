"""The Python API: what packages export, with signatures and docstrings, read statically."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent

import griffe
from griffe import DocstringSectionKind as Kind

from pages.markup import page, prose, table

PACKAGES = (
    "codex_ml.checkpointing", "codex_ml.training", "codex_ml.data", "codex_ml.models",
    "codex_ml.tokenization", "codex_ml.distributed", "codex_ml.plugins",
)  # fmt: skip
MODULES = {
    "codex_ml.checkpointing.distributed": ("Ranks",),
    "codex_ml.checkpointing.sharding": ("Shard",),
    "codex_ml.evaluation.metric": ("Metric",),
    "codex_ml.tracking.base": ("Tracker",),
}
"""Modules that pages import from, and what they import."""


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield a page for each package, and their index."""
    code = griffe.load("codex_ml", search_paths=[root], docstring_parser="google")
    rows = []
    for name in (*PACKAGES, *MODULES):
        module = code[name.removeprefix("codex_ml.")]
        names = MODULES.get(name) or [str(one) for one in module.exports or ()]
        rows.append((f"[`{name}`]({name}.md)", _first(module)))
        yield f"reference/api/{name}.md", reference(name, module, names)
    yield (
        "reference/api/index.md",
        page(
            "Python API",
            "What the runtime exports. Importing any of it is cheap: torch and other heavy libraries are "
            "imported when something that needs them is used.",
            table(("import from", "is"), rows),
        ),
    )


def reference(name: str, module: griffe.Object | griffe.Alias, names: Sequence[str]) -> str:
    """Return the page of a package."""
    parts = [_docstring(module)]
    for one in names:
        found = _target(module, one)
        parts += [f"## {one}", *_entry(found, one)]
    return page(name, *parts)


def _target(module: griffe.Object | griffe.Alias, name: str) -> griffe.Object | griffe.Alias:
    """Return a public object, seen through the package that exports it."""
    member = module.members[name]
    if isinstance(member, griffe.Attribute) and str(member.value).startswith("REGISTRY."):
        return _target_of_registry(module, name)
    return member.final_target if isinstance(member, griffe.Alias) else member


def _target_of_registry(
    module: griffe.Object | griffe.Alias, name: str
) -> griffe.Object | griffe.Alias:
    """Return the method that a package hands out as a function."""
    method: griffe.Object | griffe.Alias = (
        module.members["registry"].members["Registry"].members[name]
    )
    return method


def _entry(one: griffe.Object | griffe.Alias, name: str) -> Iterator[str]:
    if isinstance(one, griffe.Attribute):
        yield f"```python\n{name} = {one.value}\n```"
    elif isinstance(one, griffe.Function):
        yield _signature(one, name)
    elif isinstance(one, griffe.Class):
        bases = ", ".join(str(base) for base in one.bases)
        init = one.members.get("__init__")
        parameters = init if isinstance(init, griffe.Function) else None
        heading = (
            _signature(parameters, name, "class ")
            if parameters
            else f"```python\nclass {name}\n```"
        )
        yield heading
        if bases:
            yield f"Bases: `{bases}`"
    yield _docstring(one)
    if isinstance(one, griffe.Class):
        yield from _members(one)


def _members(one: griffe.Class) -> Iterator[str]:
    fields = [
        (f"`{name}`", f"`{member.annotation}`", _first(member))
        for name, member in one.members.items()
        if isinstance(member, griffe.Attribute) and not name.startswith("_") and member.annotation
    ]
    if fields:
        yield table(("attribute", "type", "meaning"), fields)
    for name, member in one.members.items():
        if isinstance(member, griffe.Function) and not name.startswith("_") and member.docstring:
            yield f"### {one.name}.{name}"
            yield _signature(member, name)
            yield _docstring(member)


def _signature(one: griffe.Function, name: str, keyword: str = "") -> str:
    parameters = [
        f"{_stars(p)}{p.name}"
        + (f": {p.annotation}" if p.annotation else "")
        + (f" = {p.default}" if p.default is not None and not _stars(p) else "")
        for p in one.parameters
        if p.name not in ("self", "cls")
    ]
    words = _marked(one, parameters)
    result = f" -> {one.returns}" if one.returns and not keyword else ""
    flat = f"{keyword}{name}({', '.join(words)}){result}"
    if len(flat) > 88:
        flat = f"{keyword}{name}(\n" + "".join(f"    {word},\n" for word in words) + f"){result}"
    return f"```python\n{flat}\n```"


def _marked(one: griffe.Function, words: list[str]) -> list[str]:
    """Put the star before what can only be given by name."""
    kinds = [p.kind for p in one.parameters if p.name not in ("self", "cls")]
    only = griffe.ParameterKind.keyword_only
    if only in kinds and griffe.ParameterKind.var_positional not in kinds:
        words.insert(kinds.index(only), "*")
    return words


def _stars(parameter: griffe.Parameter) -> str:
    match parameter.kind:
        case griffe.ParameterKind.var_positional:
            return "*"
        case griffe.ParameterKind.var_keyword:
            return "**"
        case _:
            return ""


def _docstring(one: griffe.Object | griffe.Alias) -> str:
    if one.docstring is None:
        return ""
    parts = []
    for section in one.docstring.parse("google"):
        match section.kind:
            case Kind.text | Kind.examples:
                parts.append(_example(prose(str(section.value))))
            case Kind.parameters | Kind.attributes:
                rows = [(f"`{p.name}`", prose(p.description)) for p in section.value]
                parts.append(table((str(section.kind.value).removesuffix("s"), "meaning"), rows))
            case Kind.raises:
                rows = [(f"`{r.annotation}`", prose(r.description)) for r in section.value]
                parts.append(table(("raises", "when"), rows))
            case Kind.returns | Kind.yields:
                parts += [f"Returns: {prose(r.description)}" for r in section.value]
    return "\n\n".join(parts)


def _example(words: str) -> str:
    """Fence what is indented: a docstring's code."""
    parts = re.split(r"((?:^    .*\n?|^\n(?=    ))+)", words, flags=re.MULTILINE)
    fenced = [
        f"```py\n{dedent(part).strip()}\n```"
        if part.strip("\n").startswith("    ")
        else part.strip()
        for part in parts
    ]
    return re.sub(r"::$", ":", "\n\n".join(filter(None, fenced)), flags=re.MULTILINE)


def _first(one: griffe.Object | griffe.Alias) -> str:
    return prose(one.docstring.value).split("\n\n")[0] if one.docstring else ""
