"""Typer applications, read from decorators and signatures."""

from audit.code.modules import Module
from audit.docs_truth.cli.click_tree import default_name
from audit.docs_truth.cli.model import Command, Option
from audit.docs_truth.cli.words import constant, decorations
from audit.repository import Repository

_APP = "typer.Typer()"
_ONE = "an application of one command may be the command or hold it"


def command(repo: Repository, name: str, module: Module) -> Command | None:
    """Return the command line of the ``typer.Typer()`` of a module, None for none."""
    commands: list[Command] = []
    callback: Command | None = None
    for place, one in enumerate(module.facts.definitions):
        for text, call in decorations(module, module.first + place):
            if text in (f"{_APP}.command", f"{_APP}.callback") and one.kind == "function":
                given = call.args[0] if call is not None and call.args else ""
                named = constant(given) or default_name(one.name)
                made = Command(named, module.path, one.line, _options(module, place))
                if text.endswith("callback"):
                    callback = made
                else:
                    commands.append(made)
    added, more = _added(repo, module)
    commands += added
    if not commands:
        return None
    extra = (Option(("--install-completion", "--show-completion"), module.path, 1, 0, hidden=True),)
    if len(commands) == 1 and callback is None:
        only = commands[0]
        return Command(name, only.path, only.line, only.options + extra, only.commands, only.group)
    own = callback.options if callback is not None else _help(module)
    return Command(name, module.path, 1, own + extra, tuple(commands), group=True, more=more)


def _added(repo: Repository, module: Module) -> tuple[list[Command], str]:
    """Return what ``app.add_typer(other.app, name="x")`` adds, and why that may not be all."""
    homes = {home.dotted: home for home in repo.product if home is not module}
    found: list[Command] = []
    more = ""
    for call in module.facts.calls:
        if call.names[0] == f"{_APP}.add_typer" and call.args:
            said = call.args[0], repo.program.resolve(module, call.args[0])[0]
            owners = [one.replace(":", ".").rpartition(".")[0] for one in said]
            dotted = next((one for one in owners if one in homes), "")
            named = constant(call.keyword("name") or "") or dotted.rpartition(".")[2]
            inner = command(repo, named, homes[dotted]) if dotted else None
            if inner is None:
                more = "an application that is added is not followed"
            else:
                found.append(inner if inner.group else _grouped(named, inner))
    return found, more


def _grouped(name: str, only: Command) -> Command:
    """Return an application of one command as a group: added to another it is one, or it is not."""
    return Command(name, only.path, only.line, only.options, group=True, more=_ONE)


def _help(module: Module) -> tuple[Option, ...]:
    return (Option(("--help",), module.path, 1, 0, hidden=True),)


def _options(module: Module, place: int) -> tuple[Option, ...]:
    """Return the options that the parameters of a function make."""
    one = module.facts.definitions[place]
    defaults = dict(one.defaults)
    body = min((c.line for c in module.facts.calls if c.scope == place), default=one.end)
    given = [
        (call, [word for word in map(constant, call.args) if word and word.startswith("-")])
        for call in module.facts.calls
        if call.names[0] == "typer.Option" and one.line <= call.line <= max(body, one.line)
    ]
    found: list[Option] = []
    named = iter(given)
    for parameter, annotation in zip(one.params, one.annotations, strict=False):
        default = defaults.get(parameter, "")
        if "typer.Argument" in default + annotation or "typer.Context" in annotation:
            continue
        explicit = "typer.Option" in default + annotation
        call, names = next(named, (None, [])) if explicit else (None, [])
        if not explicit and not default:
            continue
        flag = "builtins.bool" in annotation
        own = names or [f"--{parameter.replace('_', '-')}"]
        words = [part for name in own for part in name.split("/") if part]
        if flag and not any("/" in name for name in own):
            words += [f"--no-{name[2:]}" for name in own if name.startswith("--") and not names]
        value = call.args[0] if call is not None and call.args else default
        value = (
            "" if value.startswith("typer.") or (constant(value) or "").startswith("-") else value
        )
        found.append(Option(tuple(words), module.path, one.line, 0 if flag else 1, value or None))
    return (*found, *_help(module))
