"""Environment variables: what pages name, what code reads."""

import re
from collections.abc import Iterator
from typing import Final

from audit.docs_truth import shell
from audit.docs_truth.kinds import kind
from audit.docs_truth.model import HOLDS, Claim, Judged, Unknown, Verdict, Wrong, nearest
from audit.docs_truth.pages import Page
from audit.docs_truth.world import World

_NAME: Final = re.compile(r"^\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\}?(?:=.*)?$")
_SETTING: Final = re.compile(r"(?:^|\s|export\s+)([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)=")
_READ: Final = re.compile(r"os\.environ\['([A-Z][A-Z0-9_]+)'\]")


@kind("environment")
def variables(world: World) -> Iterator[Judged]:
    """A page names an environment variable that no code reads."""
    for page in world.present:
        for line, name in _named(page):
            yield Claim(page.path, line, name), _judge(world, name)


def _named(page: Page) -> Iterator[tuple[int, str]]:
    for span in page.facts.spans:
        if found := _NAME.match(span.text.strip()):
            yield span.line, found[1]
    shown = "\n".join(fence.text for fence in page.facts.fences)
    for line in (*shell.console(page), *shell.steps(page)):
        for name in _SETTING.findall(line.text):
            if not re.search(rf"\$\{{?{name}\b", shown):  # which the shell reads itself
                yield line.line, name


def prefixes(world: World) -> frozenset[str]:
    """Return how the names of the project's own variables start."""
    return frozenset(f"{re.sub(r'[^A-Za-z0-9]', '_', one).upper()}_" for one in world.own_names)


def _judge(world: World, name: str) -> Verdict:
    if name in world.words:
        return HOLDS
    own = [one for one in prefixes(world) if name.startswith(one)]
    if not own:
        return Unknown("an environment variable of another program")
    if "auto_envvar_prefix" in world.words:
        return Unknown("variables that are made from option names")
    parts = name.split("_")
    if _is_of_a_requirement(world, parts):
        return Unknown("an environment variable of another program")
    starts = "|".join(f"{'_'.join(parts[:end])}_" for end in range(1, len(parts)))
    if re.search(rf"\b(?:{starts})(?:[\"'{{%]|\$\{{)", world.code):
        return Unknown("variables whose names are put together")
    known = [one for one in world.words if any(one.startswith(prefix) for prefix in own)]
    return Wrong("no code reads this variable", nearest(name, known))


def _is_of_a_requirement(world: World, parts: list[str]) -> bool:
    """Tell whether a variable starts like a distribution that the project requires."""
    names = {"[-_.]".join(parts[:end]).lower() for end in range(2, len(parts))}
    names -= {re.sub(r"[-_.]+", "[-_.]", one).lower() for one in world.own_names}
    wanted = "|".join(sorted(names))
    required = rf"[\"'](?:{wanted})\s*(?:[\"'],?$|[<>=!~;\[])"
    return bool(names) and re.search(required, world.code, re.MULTILINE) is not None


def read(world: World) -> dict[str, tuple[str, int]]:
    """Return the project's own variables that product code reads, with the first place."""
    own = tuple(prefixes(world))
    found: dict[str, tuple[str, int]] = {}
    for module in world.repo.product:
        facts = module.facts
        texts = [(one.name, one.line) for one in facts.references]
        texts += [(name, call.line) for call in facts.calls for name in call.names]
        for call in facts.calls:
            if call.names[0] in ("os.environ.get", "os.getenv", "os.environ.pop") and call.args:
                texts.append((f"os.environ[{call.args[0]}]", call.line))
        for text, line in texts:
            for name in _READ.findall(text):
                if name.startswith(own):
                    found.setdefault(name, (module.path, line))
    for program in world.programs:
        for _, command in program.every:
            for one in command.options:
                if one.variable.startswith(own):
                    found.setdefault(one.variable, (one.path, one.line))
    return found
