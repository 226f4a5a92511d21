"""Code that tells processes apart: ranks, world sizes, and the conditions written with them."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from audit.facts.model import Block
from audit.repository import Repository
from audit.sites import Site

_RANK: Final = r"(?<![a-z])(?<!matrix_)(?<!lora_)(?<!low_)(?!(matrix|lora|low)_rank)(\w+_)?rank\b(\(\))?|process_index\b(\(\))?|\w*RANK'\]|\b(\w+_)?RANK\b"
_ZERO: Final = re.compile(
    rf"({_RANK})(?! ?[+*/]) ?(==|!=|in|not in) ?[(\[{{]?-?[01]\b|not [\w.:@]*(?<![a-z])rank(\(\))?($| )"
    rf"|({_RANK}) (< 1|> 0|<= 0)(?!\d)"
)
_MAIN: Final = re.compile(
    r"(?<![a-z])(is|on|am)_(\w+_)?(main|master|primary|chief|coordinator|global_zero|rank_?zero|rank_?0|"
    r"world_process_zero|local_process_zero|first_worker|first_rank)(?![a-z])|"
    r"(?<![a-z])(main|master|primary)_(process|proc|rank|worker)(?![a-z])"
)
RANK_ZERO_NAME: Final = re.compile(
    r"rank_?(zero|0)(?![a-z0-9])|(main|master|primary)_(process|rank|only)|only_(on_)?(main|master|rank)|"
    r"one_rank_only|(first|single)_rank_only"
)
_SEVERAL: Final = re.compile(
    r"is_initialized\(\)|(?<!cuda\.)(?<!mps\.)(?<!xpu\.)is_available\(\)|is_dist_avail|world_?size|'(RANK|WORLD_SIZE|LOCAL_RANK)'|"
    r"multi_?(gpu|process)|num_(processes|devices|gpus|nodes)|n_?gpus?\b|use_dist\w*|(?<![a-z])(is_)?distributed\b(?![.(])|"
    r"is_distributed\w*\(\)|(?<![a-z])(is_|use_)?ddp\b|(?<![a-z])(use|enable)_fsdp\b|'(fsdp|ddp)' in [\w.@:]|local_rank\b (==|!=|>=?) -1|(?<![a-z])devices \*|_RANK'\]",
    re.IGNORECASE,
)
_OTHER_RANKS: Final = re.compile(
    rf"({_RANK})(?! ?[+*/]) ?(!= ?0\b|> ?0\b|not in)|not [\w.:@]*({_MAIN.pattern})"
    r"|not [\w.:@]*(?<![a-z])rank(\(\))?($| )"
)
_MENTIONS: Final = ("rank", "RANK", "process_index", "is_", "on_", "am_", "_process", "_worker")
_CALLED: Final = re.compile(r"[\w.:]+(?=\(\))")


def guards(site: Site) -> Iterator[Block]:
    """Yield the conditions around a call."""
    return (one for one in site.blocks() if one.kind in ("if", "else"))


def asks_rank_zero(repo: Repository, site: Site, text: str) -> bool:
    """Tell whether a condition asks for the first process, itself or through a function."""
    return _asks(repo, site, text, _is_zero)


@lru_cache(1 << 14)
def _is_zero(text: str) -> bool:
    return bool(_ZERO.search(text) or _MAIN.search(text))


@lru_cache(1 << 14)
def asks_other_ranks(text: str) -> bool:
    """Tell whether a condition asks for the processes other than the first."""
    mentioned = any(word in text for word in _MENTIONS)
    return mentioned and bool(_OTHER_RANKS.search(text))


def asks_several(repo: Repository, site: Site, text: str) -> bool:
    """Tell whether a condition asks if there are several processes."""
    return _asks(repo, site, text, _are_several)


@lru_cache(1 << 14)
def _are_several(text: str) -> bool:
    return bool(_SEVERAL.search(text))


@lru_cache(1 << 14)
def _called(text: str) -> tuple[str, ...]:
    return tuple(
        name
        for name in _CALLED.findall(text)
        if name[0] not in "@%" and not name.startswith(("builtins.", "self."))
    )


def _asks(repo: Repository, site: Site, text: str, matches: Callable[[str], bool]) -> bool:
    if matches(text):
        return True
    for name in _called(text):
        node = repo.program.resolve(site.module, name)[1]
        if node >= 0 and any(map(matches, repo.program.definition(node).returns)):
            return True
    return False
