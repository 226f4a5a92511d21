"""What the definitions of one module use: where its calls, references and imports lead."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from audit.code.modules import Module, is_public
from audit.code.program import Program
from audit.facts.model import Call

# A method call on a value of unknown class leads to every method of that name,
# if there are few and the name says something.
MAX_HOMONYMS: Final = 5
_COMMON: Final = frozenset(
    "get items keys values append extend update pop add format join split strip copy close read "
    "write open size shape item mean sum backward parameters cpu numpy tolist startswith endswith "
    "replace sort index count insert remove clear lower upper".split()
)
_IMPORTERS: Final = frozenset({"importlib.import_module", "builtins.__import__"})
_BY_NAME: Final = re.compile(r"f?'(\{builtins\.__name__\})?([\w.]*\.)(\{|'? ?[+%])")
"""The argument of an import of whatever module of one package is asked for."""


class Homonyms(dict[str, Sequence[int]]):
    """The methods that a call on a value of unknown class may lead to, by the callee's text."""

    def __init__(self, methods: Mapping[str, Sequence[int]]) -> None:
        self._methods = methods

    def __missing__(self, name: str) -> Sequence[int]:
        _, dot, last = name.rpartition(".")
        nodes = self._methods.get(last, ()) if dot and last not in _COMMON else ()
        self[name] = found = nodes if len(nodes) <= MAX_HOMONYMS else ()
        return found


class Uses:
    """The definitions that one uses, and those that it may use."""

    __slots__ = ("certain", "guessed")

    def __init__(self) -> None:
        self.certain: set[int] = set()
        self.guessed: set[int] = set()


class _Lead(NamedTuple):
    """What calling a name in a module leads to."""

    called: frozenset[int] = frozenset()
    nodes: frozenset[int] = frozenset()
    """That, and the classes of the repository whose instances the name goes through."""
    imports: bool = False
    """It imports a module by its name."""


_NOWHERE: Final = _Lead()


class _Leads(dict[str, _Lead]):
    """What the names that a module calls lead to, each looked up once."""

    def __init__(self, program: Program, module: Module) -> None:
        self._program, self._module = program, module

    def __missing__(self, name: str) -> _Lead:
        self[name] = found = self._find(name)
        return found

    def _find(self, name: str) -> _Lead:
        program, module = self._program, self._module
        if program.foreign[name]:
            return _Lead(imports=True) if name in _IMPORTERS else _NOWHERE
        followed = program.follow(module, name)
        called = frozenset(node for _, node in followed if node >= 0)
        made = (
            program.resolve(module, text)[1] for text, node in followed if node < 0 and "()" in text
        )
        nodes = called.union(node for node in made if node >= 0)
        imports = any(text in _IMPORTERS for text, _ in followed)
        return _Lead(called, nodes, imports) if nodes or imports else _NOWHERE


def uses(program: Program, homonyms: Homonyms, module: Module) -> dict[int, Uses]:
    """Return what the definitions of a module use, by node: a function of the module's facts and
    of what names stand for."""
    first, definitions = module.first, module.facts.definitions
    leads = _Leads(program, module)
    found: defaultdict[int, Uses] = defaultdict(Uses)
    for call in module.facts.calls:
        called = call.names[0]
        if "()._" in called and _extends(definitions[call.scope].name, called):
            found[first + definitions[call.scope].parent].certain.add(first + call.scope)
        known = [lead for name in call.names if (lead := leads[name]) is not _NOWHERE]
        for lead in known:
            found[first + call.scope].certain |= lead.nodes
            if lead.imports:
                found[first + call.scope].certain |= _named_later(program, module, call)
            if call.decorates >= 0:
                found[first + call.decorates].certain |= lead.called
        if not any(lead.called for lead in known) and (nodes := homonyms[called]):
            found[first + call.scope].guessed.update(nodes)
    for reference in module.facts.references:
        _, node = program.resolve(module, reference.name)
        if node >= 0:
            found[first + reference.scope].certain.add(node)
    for one in module.facts.imports:
        target = one.target.removesuffix(".*").removesuffix("*")
        _, node = program.resolve(module, target) if target else ("", -1)
        if node >= 0:
            found[first + one.scope].certain.add(program.owner[node].first)
    return found


def _named_later(program: Program, module: Module, call: Call) -> set[int]:
    """Return the modules, and what is public in them, of a package that a call imports
    from by a computed name: any of them may be asked for."""
    found = _BY_NAME.match(call.args[0]) if call.args else None
    if not found:
        return set()
    here = bool(found[1]) or found[2] == "."
    prefix = (module.package if here else "") + found[2]
    return {
        one.first + place
        for one in program.modules
        if one.role == "product" and one.dotted.rpartition(".")[0] + "." == prefix
        for place, definition in enumerate(one.facts.definitions)
        if place == 0 or (definition.parent == 0 and is_public(definition.name))
    }


def _extends(name: str, called: str) -> bool:
    """Tell whether a private method calls its own name on an instance of a base class: the
    base runs it, as a trainer runs its ``_save_checkpoint``."""
    own = name.rpartition(".")[2]
    return own.startswith("_") and called.endswith(f"().{own}") and called[0] not in "@%'"
