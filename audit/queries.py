"""The form of a rule's queries: one that can find nothing is a mistake of its writer."""

import re
from typing import Final

_NAME: Final = r"[^\W\d]\w*(?:\(\))?"
_GLOB: Final = r"(?!/|\./|(?:.*/)?\.\.(?:/|$))(?:[^\[]|\[!?\]?[^\]]*\])+"
_COMMAND: Final = r"[\w./+-]+(?: +[^\s$`()|&;<>\"'\\]+)*"
_FORMS: Final = {
    "calls": (rf"{_NAME}(?:\.{_NAME})*(?:\.?\*)?", 'a dotted name such as "torch.save", "torch.*"'),
    "keywords": (r"[^\W\d]\w*", 'a keyword such as "weights_only"'),
    "bases": (rf"{_NAME}(?:\.{_NAME})*", 'a dotted name such as "torch.nn.Module"'),
    "files": (_GLOB, 'a glob from the root, brackets closed, such as "docs/*.md"'),
    "keys": (rf"(?=[^:]+:.){_GLOB}", "'file glob:key glob', brackets closed"),
    "commands": (_COMMAND, 'a program and its words such as "ruff check"'),
}  # fmt: skip
KINDS: Final = frozenset(_FORMS)


def cure(kind: str, text: str) -> str:
    """Return what to write instead of a query that can find nothing; nothing if it may find."""
    form, wanted = _FORMS[kind]
    return "" if re.fullmatch(form, text) else wanted
