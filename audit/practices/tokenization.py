"""Tokenization: text becomes ids and back; tokenizers are kept."""

import re
from collections.abc import Iterator
from typing import Final

from audit.code.modules import Module
from audit.code.program import Program
from audit.practices.handing import api, argument
from audit.practices.libraries import named
from audit.practices.ranking import central
from audit.practices.registry import Place, at, in_code, practice
from audit.repository import Repository
from audit.sites import Site

MAKERS: Final = "|".join(re.escape(one.removesuffix("*")) for one in named("tokenizers"))
_TOKENIZER: Final = re.compile(
    rf"\b({MAKERS})|tokenizer|Tokenizer\w*(\.\w+)?\(|\bprocessing_class\b|(^|[@.])(\w+_)?tok$"
)
_ENCODES: Final = (
    "encode", "encode_plus", "batch_encode_plus", "encode_ordinary", "encode_batch", "tokenize",
    "encode_as_ids", "EncodeAsIds", "apply_chat_template", "convert_tokens_to_ids", "__call__",
    "texts_to_sequences", "encode_sequence", "encode_sequence_torch",
)  # fmt: skip
_DECODES: Final = (
    "decode", "batch_decode", "decode_batch", "decode_ids", "DecodeIds", "convert_ids_to_tokens",
    "id_to_token", "IdToPiece", "id_to_piece", "decode_single_token_bytes",
    "sequences_to_texts", "decode_ndim", "decode_torch",
)  # fmt: skip


_TOPIC: Final = r"tokeniz|vocab|dictionary|(^|\.)\w*_?(encode|decode)"
"""Classes and functions that a maintainer would name first when asked for the tokenizer."""


def _of_tokenizer(site: Site) -> bool:
    """Tell whether a call is on a text tokenizer: by what made it, or by its API's name. One that
    is a neural network makes codes of images, sound or actions."""
    if not any(_TOKENIZER.search(api(one)) for one in site.receivers):
        return False
    made = site.call.names[0].rpartition(".")[0].removesuffix("()")
    makers = (made, made.rpartition(".")[0])  # a class, or a class through one of its methods
    nodes = (site.program.resolve(site.module, one)[1] for one in makers if one)
    return not any(_is_network(site.program, one) for one in nodes)


def _is_network(program: Program, node: int) -> bool:
    """Tell whether a definition is a class of neural networks."""
    return node >= 0 and any(map(_NETWORK.search, program.ancestry(node)))


def _decodes(site: Site) -> bool:
    """Tell whether a call turns ids of a tokenizer into text, no bytes."""
    if _ENCODING.match(argument(site, 0, "encoding")) or site.call.keyword("errors"):
        return False
    return _of_tokenizer(site)


_NETWORK: Final = re.compile(r"nn\.(modules\.\w+\.)?Module$")
_ENCODING: Final = re.compile(r"'(utf|ascii|latin)")


@practice("tokenizer-encode-decode", looks_for="text that becomes token ids, and ids text")
def tokenizer_encode_decode(repo: Repository) -> Iterator[Place]:
    """Text becomes token ids and ids become text again.

    Both directions are called on a tokenizer, or a class has both and looks ids up.

    Why:
        A model of text is only as good as the round trip from text to ids and back.
    Fix:
        Keep encode and decode in one object that training, evaluation and serving share.
    Good:
        import tiktoken

        def reply(model, prompt):
            codec = tiktoken.get_encoding("gpt2")
            return codec.decode(model.generate(codec.encode(prompt)))
    Bad:
        def reconstruct(vae, image):
            return vae.decode(vae.encode(image))
    Limits:
        An own tokenizer is recognised by its two methods and the table it looks up in.
    Drop-in: codex_ml.tokenization.Tokenizer
    """
    there = [site for site in repo.methods(*_ENCODES) if _of_tokenizer(site)]
    there += [site for site in _called(repo) if _of_tokenizer(site)]
    back = [site for site in repo.methods(*_DECODES) if _decodes(site)]
    found = [
        in_code(module, place, module.facts.definitions[place].line, "own tokenizer")
        for module, place in (*_codecs(repo), *_converters(repo))
    ]
    if there and back:
        found += list(_own(repo))
        both = {one.path for one in there} & {one.path for one in back}
        found += sorted(
            (at(one, f"{one.method} on a tokenizer") for one in back + there),
            key=lambda place: place.path not in both,
        )
    yield from central(repo, found, _TOPIC)


def _own(repo: Repository) -> Iterator[Place]:
    """Yield the methods of tokenizer classes that translate both ways."""
    for module, place, one in repo.functions("^(encode|decode)$"):
        owner = module.facts.definitions[one.parent]
        network = _is_network(repo.program, module.first + one.parent)
        if owner.kind == "class" and VOCABULARY.search(owner.name) and not network:
            yield in_code(module, place, one.line, "the tokenizer translates")


def _called(repo: Repository) -> Iterator[Site]:
    """Yield calls of a tokenizer itself: ``tokenizer(text, return_tensors=...)``."""
    for site, _ in repo.given("return_tensors", "truncation", "add_special_tokens", "max_length"):
        yield Site(site.program, site.module, site.call, tuple(f"{n}.__call__" for n in site.names))


def _codecs(repo: Repository) -> Iterator[tuple[Module, int]]:
    """Yield own tokenizers: a class with encode and decode that look tokens up in a table."""
    for module, place, one in repo.functions(
        "^(encode|tokenize|text_to_ids|encode_line|text_to_sequence)$"
    ):
        owner = one.name.rpartition(".")[0]
        for other in ("decode", "detokenize", "ids_to_text", "string", "sequence_to_text"):
            back = module.by_name.get(f"{owner}.{other}" if owner else other)
            if back is not None and _joins_text(repo, module, back):
                yield module, back
                yield module, place


def _converters(repo: Repository) -> Iterator[tuple[Module, int]]:
    """Yield functions beside each other whose names say both directions: ``tokens2ids``."""
    there = {(module.path, one.parent) for module, _, one in repo.functions(_TO_IDS)}
    for module, place, one in repo.functions(_TO_TEXT) if there else ():
        if (module.path, one.parent) in there and not _OF_LABELS.search(one.name):
            yield module, place


_TEXT: Final = "(text|token|str|string|char|word|sentence|piece|unit)s?"
_IDS: Final = r"(id|idx|index|indices|indice|int|tensor|seq|sequence)(e?s)?"
_OF_LABELS: Final = re.compile(r"(^|\.)int_?(to|2)_?str$")
_TO_IDS: Final = rf"^_?(\w+_)?{_TEXT}_?(to|2)_?{_IDS}$"
_TO_TEXT: Final = rf"^_?(\w+_)?{_IDS}_?(to|2)_?{_TEXT}$"


def _joins_text(repo: Repository, module: Module, place: int) -> bool:
    """Tell whether a function puts text together: joins strings or decodes bytes."""
    return any(
        (site.method == "join" and "str()" in site.names[0])
        or (
            (site.method == "decode" and argument(site, 0, "encoding").startswith(("'utf", "")))
            and ("bytes" in site.names[0] or site.names[0].startswith("b'"))
        )
        for site in repo.calls_in(module, place)
    )


@practice("tokenizer-persist", looks_for="a tokenizer that is written to disk")
def tokenizer_persist(repo: Repository) -> Iterator[Place]:
    """A tokenizer is written to disk.

    save or save_pretrained on a tokenizer or the processor that holds it, a vocabulary that
    is pickled or dumped, a class of a tokenizer or vocabulary that writes a file, or the
    tokenizer's files copied beside the weights.

    Why:
        Weights without the tokenizer that they were trained with are useless.
    Fix:
        Write the tokenizer into the checkpoint folder.
    Good:
        from transformers import AutoTokenizer

        def export(name, path):
            AutoTokenizer.from_pretrained(name).save_pretrained(path)
    Bad:
        from transformers import AutoTokenizer

        def load(name):
            return AutoTokenizer.from_pretrained(name)
    Limits:
        An own vocabulary is recognised by its class.
    Drop-in: codex_ml.tokenization.Tokenizer
    """
    yield from central(repo, _persisted(repo), _TOPIC)


def _persisted(repo: Repository) -> Iterator[Place]:
    for site in repo.methods("save_pretrained", "save", "save_vocabulary", "save_model", "to_file"):
        held = site.method == "save_pretrained" and any(map(_PROCESSOR.search, site.receivers))
        if held or _of_tokenizer(site):
            yield at(site, "the tokenizer is written")
    for site in repo.calls(*named("tokenizer-trainers")):
        if any(key in ("model_prefix", "model_writer") for key, _ in site.call.kwargs):
            yield at(site, "the trained tokenizer is written")
    yield from _writing(repo)
    for site in repo.methods("open"):
        if _opens_to_write(site) and any(map(_VOCABULARY_FILE.search, site.arguments())):
            yield at(site, "the file of the vocabulary is written")
    for site in repo.calls("pickle.dump", "json.dump", "torch.save", "joblib.dump", "dill.dump"):
        whole = argument(site, 0)
        if re.search(r"(^|[@.])(\w+_)?tokenizer$", whole) or _MADE_ONE.match(whole):
            yield at(site, "the tokenizer is pickled")
        if re.search(r"'(stoi|itos|vocab|merges|token2id|word2idx)'|tiktoken", argument(site, 0)):
            yield at(site, "the vocabulary is written")
    for site in repo.calls("shutil.copy", "shutil.copyfile", "shutil.copy2"):
        if "'tokenizer" in " ".join(site.arguments()):
            yield at(site, "the tokenizer's files are copied")


def _writing(repo: Repository) -> Iterator[Place]:
    """Yield where the class of a tokenizer or vocabulary writes a file."""
    for module, place, one in repo.functions(_WRITES.pattern):
        owner = module.facts.definitions[one.parent]
        if owner.kind == "class" and VOCABULARY.search(owner.name):
            for site in repo.calls_in(module, place):
                if _opens_to_write(site) or site.names[0] in ("pickle.dump", "json.dump"):
                    yield at(site, "the tokenizer writes itself")
                    break


def _opens_to_write(site: Site) -> bool:
    modes = (*site.call.args[:2], site.call.keyword("mode") or "")
    return site.method in ("write_text", "write_bytes") or (
        site.method == "open" and any(map(_MODE.fullmatch, modes))
    )


_MADE_ONE: Final = re.compile(rf"^({MAKERS})[\w.]*\(\)$")
_VOCABULARY_FILE: Final = re.compile(r"'[^']*\b(vocab|vocabulary|merges|tokenizer)\.\w+'")
_PROCESSOR: Final = re.compile(
    r"(^|[@.])(text_|hf_)?processor$|transformers\.AutoProcessor\.from_pretrained\(\)$"
)
"""What holds the tokenizer of a model for several kinds of data."""
_MODE: Final = re.compile(r"'w[bt]?\+?'")


_WRITES: Final = re.compile(r"^_?(save|write|dump|to|export)(_|$)")
VOCABULARY: Final = re.compile(r"Tokenizer|Vocab|Dictionary|Codec|BPE|Alphabet|Lexicon")
