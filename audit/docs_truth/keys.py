"""Keys: of the JSON that the project writes, of the configuration that it accepts."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from audit.docs_truth.distribution import normal
from audit.docs_truth.forms import Form
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.pages import blocks, title
from audit.docs_truth.world import World
from audit.facts.model import Fence

_NO_FORM: Final = Unknown("keys that no class, schema or producer lists")
_ELSEWHERE: Final = Unknown("a key that another part of the code names")
_SPAN: Final = re.compile(r"^\[?tool\.([\w-]+)\.([\w-]+)[\w.-]*\]?$")


# -------------------------------------------------------------------------- JSON
@kind("json-key")
def json_keys(world: World) -> Iterator[Judged]:
    """A JSON block shows a key that the producer does not write."""
    for page in world.present:
        for fence in blocks(page, "json", "jsonc", "json5"):
            try:
                document = json.loads(fence.text)
            except (ValueError, RecursionError):
                claim = Claim(page.path, fence.line, fence.text.partition("\n")[0])
                yield claim, Unknown("a block that is no JSON as it stands")
                continue
            for names in _objects(document):
                for name, verdict in _judge(world, names):
                    yield Claim(page.path, _line(fence, name), name), verdict


def _objects(value: Any) -> Iterator[tuple[str, ...]]:
    """Yield the keys of every object, those inside others too."""
    if isinstance(value, dict):
        yield tuple(value)
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _judge(world: World, names: tuple[str, ...]) -> Iterator[tuple[str, Verdict]]:
    """Hold the keys of an object against the producer that writes most of them."""
    form = _best(world.forms, names, least=2)
    for name in names:
        if form is None or len(names) < 3:
            yield name, _NO_FORM
        elif name in form.keys:
            yield name, HOLDS
        elif name.isidentifier() and name not in world.words:
            yield name, Wrong(f"{_called(form)} has no such key", nearest(name, form.keys))
        else:
            yield name, _ELSEWHERE


def _best(forms: Iterable[Form], names: Iterable[str], least: int) -> Form | None:
    """Return the form that has most of some keys: more than half, and at least some."""
    wanted = frozenset(names)
    best = max(
        forms, key=lambda one: (len(one.keys & wanted), -len(one.keys), one.path, one.line),
        default=None,
    )  # fmt: skip
    if best is None:
        return None
    shared = len(best.keys & wanted)
    return best if shared >= least and shared * 2 > len(wanted) else None


def _called(form: Form) -> str:
    return f"{form.name or 'what is written'} ({form.path}:{form.line})"


def _line(fence: Fence, name: str) -> int:
    place = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", fence.text)
    return fence.line + 1 + fence.text.count("\n", 0, place.start() if place else 0)


# ----------------------------------------------------------------- configuration
@kind("config-key")
def config_keys(world: World) -> Iterator[Judged]:
    """A page sets a configuration key that is not accepted."""
    own = {normal(one) for one in world.own_names}
    settings = [one for one in world.forms if one.name]
    for page in world.present:
        for fence in blocks(page, "toml"):
            for names in _tables(fence, own):
                for name, verdict in _accepted(world, settings, names):
                    yield Claim(page.path, _line(fence, name), name), verdict
        for span in page.facts.spans:
            found = _SPAN.match(span.text)
            if found and normal(found[1]) in own:
                known = set(_fields(world))
                verdict = _field(world, found[2], known) if known else _NO_FORM
                yield Claim(page.path, span.line, span.text), verdict


def _tables(fence: Fence, own: set[str]) -> Iterator[tuple[str, ...]]:
    """Yield the keys of each table that configures the project."""
    try:
        document: Any = tomllib.loads(fence.text)
    except ValueError:
        return
    tools = document.get("tool")
    if isinstance(tools, dict):
        for name, table in tools.items():
            if normal(name) in own and isinstance(table, dict):
                yield tuple(table)
    elif normal(title(fence).rpartition("/")[2].partition(".")[0]) in own:
        yield tuple(document)


def _accepted(
    world: World, settings: list[Form], names: tuple[str, ...]
) -> Iterator[tuple[str, Verdict]]:
    plain = {name: name.replace("-", "_") for name in names}
    form = _best(settings, plain.values(), least=1)
    for name in names:
        if form is not None and plain[name] in form.keys:
            yield name, HOLDS
        elif plain[name] in world.words or name in world.words:
            yield name, _ELSEWHERE
        elif form is None:
            yield name, _NO_FORM
        else:
            yield name, Wrong(f"{_called(form)} has no such key", nearest(name, form.keys))


def _field(world: World, name: str, known: set[str]) -> Verdict:
    plain = name.replace("-", "_")
    if plain in known:
        return HOLDS
    if plain in world.words or name in world.words:
        return _ELSEWHERE
    return Wrong("no such key is accepted", nearest(name, known))


def _fields(world: World) -> frozenset[str]:
    form = accepted(world)
    return form.keys if form is not None else frozenset()


def accepted(world: World) -> Form | None:
    """Return the class of the project's configuration: what its own table is shown with."""
    own = {normal(one) for one in world.own_names}
    names: set[str] = set()
    for page in world.present:
        for fence in blocks(page, "toml"):
            for table in _tables(fence, own):
                names |= {one.replace("-", "_") for one in table}
    return _best([one for one in world.forms if one.name], names, least=1) if names else None
