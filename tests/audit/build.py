"""Small repositories in memory for detector tests."""

import re
from hashlib import sha1
from textwrap import dedent

from audit import roles
from audit.facts import extraction
from audit.facts.kinds import kind_of
from audit.model import PracticeResult
from audit.practices import registry
from audit.repository import Repository
from audit.sites import File
from audit.stages.capabilities import decide

_FILE = re.compile(r"^# file: (\S+)[ \t]*\n", re.MULTILINE)


def repository(files: dict[str, str]) -> Repository:
    """Return a repository that holds the given texts by path."""
    role = roles.assign(files, {})
    found = []
    for path in sorted(files):
        content, kind = dedent(files[path]).encode(), kind_of(path)
        facts = extraction.decode(kind, extraction.encode(kind, content)) if kind else None
        blob = sha1(content, usedforsecurity=False).hexdigest()
        if isinstance(facts, str):
            found.append(File(path, role[path], blob, None, facts))
        else:
            found.append(File(path, role[path], blob, facts))
    return Repository(found)


def parts(text: str) -> dict[str, str]:
    """Cut a text at its ``# file: path`` lines; without one it is a module of a package."""
    pieces = _FILE.split(dedent(text))
    if len(pieces) == 1:
        return {"package/__init__.py": "", "package/module.py": pieces[0]}
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def decided(practice: str, text: str) -> PracticeResult:
    """Return the decision about a practice in the repository that a text describes."""
    (found,) = (one for one in registry.declared() if one.id == practice)
    (result,) = decide(repository(parts(text)), [found])
    return result
