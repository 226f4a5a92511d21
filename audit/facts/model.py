"""What one blob says: the frozen facts that detectors query.

Facts depend on a blob's bytes and its file kind alone, never on its path or on
other files, so they are extracted once per blob and cached by its hash.

Names in Python facts are written so that their origin shows:

===================  ==========================================================
``torch.save``       reached through an import (aliases resolved)
``..io.save``        reached through a relative import; leading dots are levels
``:Trainer.fit``     defined at the top level of the same module
``builtins.open``    a builtin
``@model``           a parameter; ``self.model`` an attribute of the instance
``%x``               a local whose origin is unknown
``torch.load()``     the result of a call; ``X[]`` an element of ``X``
===================  ==========================================================

A local variable is replaced by what it was assigned from, so its own name is
never part of a fact.
"""

from typing import Literal, TypeAlias

import msgspec

FileKind: TypeAlias = Literal[
    "python", "markdown", "rst", "toml", "yaml", "json", "jsonc", "ini", "shell", "make", "docker",
    "text", "jenkins", "just",
]  # fmt: skip


class Fact(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Base of all facts: immutable, compact, invisible to the collector."""


class Definition(Fact, frozen=True):
    """A module (index 0), class, function or method with its place."""

    name: str
    """Dotted inside the module: ``Trainer.fit``; empty for the module."""
    kind: Literal["module", "class", "function"]
    line: int
    end: int
    parent: int
    """Index of the enclosing definition; -1 for the module."""
    bases: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    """Canonical text of the distinct values returned or yielded, at most six."""
    stub: bool = False
    """The body does nothing: docstring, ``pass``, ``...``, ``raise NotImplementedError``."""
    doctest: bool = False
    defaults: tuple[tuple[str, str], ...] = ()
    """Parameters that have a default, with its canonical text."""
    kinds: str = ""
    """A letter a parameter: ``/`` positional only, ``.`` either, ``k`` keyword only, ``*``, ``^``
    (``**``)."""
    annotations: tuple[str, ...] = ()
    """Canonical text of each parameter's annotation; of decorated functions alone."""
    said: tuple[tuple[str, int], ...] = ()
    """Parameters that the docstring describes, with their lines."""


class Block(Fact, frozen=True):
    """A compound statement around others; `text` is its condition, iterable or context."""

    kind: Literal["if", "else", "for", "while", "with", "try", "except", "case"]
    line: int
    text: str
    parent: int
    """Index of the enclosing block in the same definition; -1 when there is none."""
    updates: bool = False
    """An ``if`` whose body gives what its condition compares the value it compares it with:
    a running best, a maximum so far."""


class Call(Fact, frozen=True):
    """A call, with every name that its callee may resolve to."""

    scope: int
    block: int
    line: int
    names: tuple[str, ...]
    args: tuple[str, ...] = ()
    kwargs: tuple[tuple[str, str], ...] = ()
    decorates: int = -1
    """Index of the definition that this call decorates; -1 for a plain call."""

    def keyword(self, name: str) -> str | None:
        """Return the canonical text of a keyword argument, None where it is not given."""
        for key, value in self.kwargs:
            if key == name:
                return value
        return None


class Assign(Fact, frozen=True):
    """An assignment whose target outlives the statement, or that computes something.

    Attributes, subscripts, module and class level names, augmented assignments,
    and locals bound to an operation.
    """

    scope: int
    block: int
    line: int
    target: str
    value: str
    operator: str = "="
    annotation: str = ""


class Raise(Fact, frozen=True):
    """A raise statement."""

    scope: int
    block: int
    line: int
    name: str
    message: bool


class Reference(Fact, frozen=True):
    """An imported or module-level name that is read without being called."""

    scope: int
    line: int
    name: str


class Import(Fact, frozen=True):
    """A bound import: `name` in this module stands for `target`."""

    scope: int
    line: int
    name: str
    target: str


class Command(Fact, frozen=True):
    """A shell command line: in a script, a recipe, a CI step, a fence or a docstring."""

    line: int
    text: str


class Record(Fact, frozen=True):
    """A dict display with constant keys: what a producer writes, what a table maps."""

    line: int
    keys: tuple[str, ...]
    open: bool = False
    """Further keys come from ``**`` or from expressions."""


class PythonFacts(Fact, frozen=True):
    """Everything that a Python module says."""

    definitions: tuple[Definition, ...]
    blocks: tuple[Block, ...]
    calls: tuple[Call, ...]
    assigns: tuple[Assign, ...]
    raises: tuple[Raise, ...]
    references: tuple[Reference, ...]
    imports: tuple[Import, ...]
    exports: tuple[str, ...]
    """The names in ``__all__``."""
    commands: tuple[Command, ...]
    lines: int
    generated: bool
    records: tuple[Record, ...] = ()


class Key(Fact, frozen=True):
    """A leaf or table of a configuration file: dotted path, scalar value, line."""

    path: str
    line: int
    value: str = ""


class DataFacts(Fact, frozen=True):
    """Keys of a TOML, YAML, JSON or INI file, in file order."""

    keys: tuple[Key, ...]


class Heading(Fact, frozen=True):
    """A heading with its level (1 is the title)."""

    line: int
    level: int
    text: str


class Link(Fact, frozen=True):
    """A link or image target."""

    line: int
    target: str
    image: bool = False


class Fence(Fact, frozen=True):
    """A fenced (or literal) code block and its info string."""

    line: int
    info: str
    text: str


class Span(Fact, frozen=True):
    """An inline code span."""

    line: int
    text: str


class Directive(Fact, frozen=True):
    """A reStructuredText or doc-builder directive, a mkdocstrings identifier (``autodoc``), a
    reference to one (``autoref``, doc-builder's ``docref``), or an included file (``snippet``)."""

    line: int
    name: str
    argument: str


class Anchor(Fact, frozen=True):
    """A link target that is no heading: an HTML id, a label, an attribute list."""

    line: int
    name: str


class Row(Fact, frozen=True):
    """A row of a table; `head` is the line of the table's header row."""

    line: int
    head: int
    cells: tuple[str, ...]


class Paragraph(Fact, frozen=True):
    """The source text of a paragraph, list item or heading that shows something as code."""

    line: int
    text: str


class Example(Fact, frozen=True):
    """Lines whose claims are examples, marked ``<!-- claim: example -->``."""

    line: int
    first: int
    last: int


class ProseFacts(Fact, frozen=True):
    """What a Markdown or reStructuredText page says."""

    headings: tuple[Heading, ...]
    links: tuple[Link, ...]
    fences: tuple[Fence, ...]
    spans: tuple[Span, ...]
    directives: tuple[Directive, ...]
    words: int
    anchors: tuple[Anchor, ...] = ()
    rows: tuple[Row, ...] = ()
    paragraphs: tuple[Paragraph, ...] = ()
    examples: tuple[Example, ...] = ()


class Target(Fact, frozen=True):
    """A Makefile target with the targets that it needs; its recipe ends where the next begins."""

    line: int
    name: str
    needs: tuple[str, ...] = ()


class ScriptFacts(Fact, frozen=True):
    """Commands of a shell script, Makefile or Dockerfile; targets of a Makefile."""

    commands: tuple[Command, ...]
    targets: tuple[Target, ...] = ()


class TextFacts(Fact, frozen=True):
    """A plain text file: how many lines that are not blank, and their first ones."""

    lines: tuple[str, ...]
    words: int


Facts: TypeAlias = PythonFacts | DataFacts | ProseFacts | ScriptFacts | TextFacts
