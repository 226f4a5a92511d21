"""Tokenization: vocabularies that are trained from text."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.facts.model import Definition
from audit.practices.libraries import called
from audit.practices.registry import Place, at, in_code, practice
from audit.practices.tokenization import MAKERS, VOCABULARY
from audit.repository import Repository
from audit.sites import Site, last

_MADE: Final = re.compile(rf"\b({MAKERS})\w*[.(]")


@practice("tokenizer-train", looks_for="a vocabulary or merges that are trained from text")
def tokenizer_train(repo: Repository) -> Iterator[Place]:
    """A vocabulary or its merges are trained from text.

    A trainer of a tokenizer library, a train method called on a tokenizer, or an own
    function, or method of a vocabulary, that is named for it and counts what it reads.

    Why:
        A vocabulary made for other text wastes context and compute on yours.
    Fix:
        Train byte-level BPE on a sample of the training text and keep the result.
    Good:
        from tokenizers import Tokenizer, models, trainers

        def train(lines):
            tokenizer = Tokenizer(models.BPE())
            tokenizer.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=512))
            return tokenizer
    Bad:
        from tokenizers import Tokenizer

        def load(path):
            return Tokenizer.from_file(path)
    Limits:
        An own algorithm is recognised by its name and by counting.
    Drop-in: codex_ml.tokenization.train
    """
    for site, library in called(repo, "tokenizer-trainers"):
        yield at(site, f"{library} trains a vocabulary")
    for site in repo.methods("train_from_iterator", "train_new_from_iterator"):
        yield at(site, "a tokenizer is trained from text")
    for site in repo.methods("train"):
        given = site.call.args or site.call.keyword("files")
        if given and any(_MADE.search(one) for one in site.receivers):
            yield at(site, "a tokenizer is trained from files")
    for site in repo.methods("run", "check_call", "call", "system", "Popen"):
        if any(map(_TRAINS.match, site.call.args)):
            yield at(site, "a program trains a vocabulary")
    for site in repo.methods("add_word", "add_symbol"):
        if site.within("for") and not site.within("for", r"special"):
            yield at(site, "a vocabulary is built from the words that are read")
    for module, place, one in repo.functions(f"{_BUILDS.pattern}|{_READS}"):
        if re.match(_READS, last(one.name)) and not _of_vocabulary(module, one):
            continue
        if _counts(repo, module, place) or _trains_itself(module, one):
            yield in_code(module, place, one.line, "a vocabulary is built from counts")


def _of_vocabulary(module: Module, one: Definition) -> bool:
    """Tell whether a definition is a method of the class of a vocabulary."""
    owner = module.facts.definitions[one.parent]
    return owner.kind == "class" and bool(VOCABULARY.search(owner.name))


def _counts(repo: Repository, module: Module, place: int) -> bool:
    """Tell whether a function, or one that it calls, counts what it sees."""
    own = module.facts.definitions[place].name.lower()
    for near in repo.graph.within([module.first + place], 1, up=False):
        for site in repo.by_scope.get(near, ()):
            if site.names[0] in _COUNTERS or site.method in ("most_common", "add_item"):
                return True
            if _tallies(site) and _ABOUT_WORDS.search(own):
                return True
    return False


def _tallies(site: Site) -> bool:
    """Tell whether a call counts in a mapping, or sorts the different characters of a text."""
    first = site.call.args[0] if site.call.args else ""
    return (
        (site.method == "get" and site.call.args[1:] == ("0",))
        or (site.names[0] == "collections.defaultdict" and first == "builtins.int")
        or (site.names[0] == "builtins.sorted" and first.startswith("builtins.set()"))
    )


def _trains_itself(module: Module, one: Definition) -> bool:
    """Tell whether a tokenizer class has a method that trains it."""
    owner = module.facts.definitions[one.parent]
    own = one.name.rpartition(".")[2]
    return owner.kind == "class" and own.startswith("train") and "okenizer" in owner.name


_BUILDS: Final = re.compile(
    r"^_?(train|learn|fit)_(\w+_)?(bpe|tokenizer|vocab|vocabulary|merges|wordpiece|unigram)$|"
    r"^_?(build|make|create|generate|finalize|get)_(\w+_)?(vocab|vocabulary|dictionary|merges)"
    r"(_(dict|dictionary|file|from_\w+))?$|^(train|fit|fit_on_texts|learn|train_from_\w+)$"
)
_READS: Final = (
    r"^(build_)?from_(instances|iterator|corpus|texts?|datasets?|counter|examples|sentences|files)$"
)
"""Methods by which the class of a vocabulary is made from what is read."""
_TRAINS: Final = re.compile(r"\['(spm_train|subword-nmt|fast)'|f?'(spm_train|subword-nmt learn)")
_ABOUT_WORDS: Final = re.compile(r"vocab|dictionary|merges|bpe|tokenizer")
_COUNTERS: Final = ("collections.Counter", "collections.Counter().update")
