"""Code that tells processes apart: ranks, world sizes, and the guards written with them."""

import re
from collections.abc import Iterator
from typing import Final

from audit.facts.model import Block, Definition
from audit.repository import Repository, Site

_RANK: Final = re.compile(
    r"(\b(global_|local_|node_|world_|data_parallel_|dp_|g)?rank\b|get_(global_|local_|world_)?rank\w*\(\)|"
    r"process_index\b|\w*RANK'\])"
)
_ZERO: Final = re.compile(
    _RANK.pattern + r"[^=!<>|&]{0,24}?(==|!=|<|>|<=|in) ?\(?\[?-?[01]\b"
    r"|not [\w.:@]*?(rank|get_rank\(\))$"
)
_MAIN: Final = re.compile(
    r"\bis_(\w*_)?(main|master|primary|global_zero|world_process_zero|local_process_zero|"
    r"rank_?zero|rank_?0|first_worker|chief|coordinator|lead|global_primary|local_primary|"
    r"global_primary)(_?(process|rank|worker|proc|node))?(_zero)?\b|\bis_rank_(zero|0)\b|"
    r"\b(main|master)_process\b|\bon_(main|master)_process\b"
)
RANK_ZERO_NAME: Final = re.compile(
    r"rank_?(zero|0)|(main|master|primary)_(process|rank|only)|only_(on_)?(main|master|rank)|"
    r"(on|is)_main|print_?0$|print_rank|print_on|master_print|mprint"
)


def asks_rank_zero(text: str) -> bool:
    """Tell whether a condition asks if this is the first (main) process."""
    return bool(_ZERO.search(text) or _MAIN.search(text))


def tells_rank_zero(definition: Definition) -> bool:
    """Tell whether a function returns if this is the first process."""
    return definition.kind == "function" and any(map(asks_rank_zero, definition.returns))


def guards(site: Site) -> Iterator[Block]:
    """Yield the conditions around a call."""
    return (one for one in site.blocks() if one.kind in ("if", "else"))


def called_rank_zero(repo: Repository, site: Site, text: str) -> bool:
    """Tell whether a condition asks for the first process, itself or through a function."""
    if asks_rank_zero(text):
        return True
    for name in re.findall(r"[\w.:]+(?=\(\))", text):
        node = repo.program.resolve(site.module, name)[1]
        if node >= 0 and tells_rank_zero(repo.program.definition(node)):
            return True
    return False
