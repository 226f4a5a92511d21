"""Tokenization: begin, end and padding tokens."""

import re
from collections.abc import Iterator
from typing import Final

from audit.practices.handing import api
from audit.practices.loops import scope_at
from audit.practices.ranking import frequent
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.tokenization import VOCABULARY
from audit.repository import Repository

_SPECIAL: Final = re.compile(
    r"\b(\w+_)?((bos|eos|pad|unk|eod|eot|endoftext)_?(token|tok|idx|index|id|word)(_?ids?|_?index|s|"
    r"_string|_str)?|bos|eos|eod|eot)\b|"
    r"\b([A-Z]+_)?(BOS|EOS|SOS|PAD|UNK)(_?(TOKEN|IDX|INDEX|ID|WORD|TAG|SYMBOL)S?(_ID)?)?\b|"
    r"'(\[(CLS|SEP|BOS|EOS|PAD|UNK)\]|</?s>|<(bos|eos|sos|pad|unk)>|<\|?(start|end)_?of_?text\|?>|"
    r"<\|(im_start|im_end|eot_id|eot|eos|bos|pad)\|>)'"
)
"""Names of special tokens in APIs and constants, and their usual texts."""


@practice("tokenizer-special-tokens", looks_for="handling of begin, end or padding tokens")
def tokenizer_special_tokens(repo: Repository) -> Iterator[Place]:
    """Begin, end and padding tokens are handled explicitly.

    A special token of a tokenizer is set, added, compared with or handed on.

    Why:
        A missing end token or an unmasked padding token silently ruins a fine-tuning run.
    Fix:
        Set a pad token where there is none, append the end token and mask padding in the loss.
    Good:
        def prepare(tokenizer):
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            return tokenizer
    Bad:
        def prepare(tokenizer, text):
            return tokenizer.encode(text)
    Limits:
        Attributes and parameters named for special tokens are believed.
    """
    yield from frequent(_special(repo))


def _special(repo: Repository) -> Iterator[Place]:
    for module, made in repo.assigns(r"[.\[].*(bos|eo[sdt]|pad|unk)"):
        if _SPECIAL.search(api(made.target)):
            yield in_code(module, made.scope, made.line, "a special token is set or masked")
    yield from _named(repo)
    for site in repo.methods("add_special_tokens", "special_tokens"):
        yield at(site, "special tokens are added")
    for site, _ in repo.given("add_special_tokens", "allowed_special", "pad_token_id", "add_bos"):
        yield at(site, "special tokens are handled")
    for site, value in repo.given("padding_idx", "padding_value", "ignore_index"):
        if _SPECIAL.search(api(value)) or re.search(r"\.pad(\(\))?$", value):
            yield at(site, "padding is told apart")
    yield from _compared(repo)
    for site in repo.methods(
        "append", "insert", "extend", "masked_fill", "full", "index", "ne", "eq"
    ):
        if any(_SPECIAL.search(api(text)) for text in site.call.args[:3]):
            yield at(site, "a special token is added or masked")


def _named(repo: Repository) -> Iterator[Place]:
    """Yield where a tokenizer class names, adds or holds special tokens."""
    for module, made in repo.assigns(r"\.(\w+_)?special_tokens(_\w+)?$"):
        owner = module.facts.definitions[made.scope].name.rpartition(".")[0]
        if VOCABULARY.search(owner) and made.value not in ("{}", "[]", "None"):
            yield in_code(module, made.scope, made.line, "the tokenizer has special tokens")
    for site in repo.methods("eos", "bos", "pad", "eos_index", "bos_index", "pad_index"):
        if any(re.search(r"dictionary|vocab|_dict$|tokenizer", one) for one in site.receivers):
            yield at(site, "the vocabulary is asked for a special token")
    own = rf"^_?({_SPECIAL.pattern}|(add|register|set)_special_tokens?)$"
    for module, place, one in repo.functions(own):
        around = module.facts.definitions[one.parent]
        if around.kind == "class" and VOCABULARY.search(around.name):
            yield in_code(module, place, one.line, "the tokenizer names a special token")


_MARKS: Final = (
    "bos", "eos", "eot", "eod", "pad", "BOS", "EOS", "SOS", "PAD", "'[", "'<",
)  # fmt: skip


def _compared(repo: Repository) -> Iterator[Place]:
    """Yield where a token is compared with a special one, or put before or after others."""
    for module, place, definition in repo.definitions:
        if any("+" in text and _JOINED.search(api(text)) for text in definition.returns):
            yield in_code(module, place, definition.line, "a special token is added")
    for module in repo.product:
        for block in module.facts.blocks:
            text = block.text
            marked = "==" in text and any(mark in text for mark in _MARKS)
            if marked and _ASKED.search(api(_MODES.sub("", text))):
                scope = scope_at(module, block.line)
                yield in_code(module, scope, block.line, "a special token is looked for")
        for one in module.facts.assigns:
            text = one.value
            if not any(mark in text for mark in _MARKS):
                continue
            if "+" in text and _JOINED.search(api(text)):
                yield in_code(module, one.scope, one.line, "a special token is added")
            elif "= " in text and _ASKED.search(api(_MODES.sub("", text))):
                yield in_code(module, one.scope, one.line, "a special token is told apart")


_MODES: Final = re.compile(r"\b[A-Z]\w*(Match|Mode|Pad|Policy|Method|Type|Option)\w*\.PAD\b")
"""A member of an enumeration that says how something is padded."""
_ASKED: Final = re.compile(rf"[!=]= [^=]*?({_SPECIAL.pattern})")
_JOINED: Final = re.compile(
    rf"\[[^\[\]]*({_SPECIAL.pattern})[^\[\]]*\] \+|\+ \[[^\[\]]*({_SPECIAL.pattern})"
)
