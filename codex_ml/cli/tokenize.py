"""``codex-ml tokenize``: train tokenizers, encode, decode, look inside."""

import json
import sys
from pathlib import Path

import click

from codex_ml.cli import run
from codex_ml.tokenization import TokenizationError, Tokenizer, load, train
from codex_ml.tokenization.corpus import corpus
from codex_ml.tokenization.training import KINDS

_FILE = click.Path(path_type=Path)
_STDIN = Path("-")


@click.group(name="tokenize")
def command() -> None:
    """Train tokenizers, encode, decode, look inside."""


@command.command(name="train")
@click.argument("corpus_files", nargs=-1, required=True, type=_FILE, metavar="FILES...")
@click.option("--out", required=True, type=_FILE, help="The tokenizer's file, to be written.")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True)
@click.option("--vocab-size", type=click.IntRange(1), default=8192, show_default=True)
@click.option("--special", multiple=True, help="A special token; may be repeated.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def train_command(
    corpus_files: tuple[Path, ...],
    out: Path,
    kind: str,
    vocab_size: int,
    special: tuple[str, ...],
    force: bool,
) -> None:
    """Train a tokenizer on UTF-8 text files."""
    if out.exists() and not force:
        raise TokenizationError(f"{out} exists: choose another name or pass --force")
    tokenizer = train(corpus_files, kind, vocab_size=vocab_size, special_tokens=special)
    tokenizer.save(out, overwrite=force)
    _print(_facts(tokenizer))


@command.command()
@click.argument("tokenizer_file", type=_FILE, metavar="TOKENIZER")
@click.argument("text_files", nargs=-1, type=_FILE, metavar="[FILES...]")
@click.option("--special", is_flag=True, help="Let special tokens in the text become their ids.")
@click.option("--out", type=_FILE, help="Write a token file (.npy) instead of printing.")
@click.option("--force", is_flag=True, help="Replace the token file if it exists.")
def encode(
    tokenizer_file: Path, text_files: tuple[Path, ...], special: bool, out: Path | None, force: bool
) -> None:
    """Print the ids of UTF-8 files, or of standard input, as a JSON list."""
    tokenizer = load(tokenizer_file)
    texts = corpus(text_files) if text_files else iter([_standard_input()])
    if out is None:
        _print([token for text in texts for token in tokenizer.encode(text, special=special)])
    elif special:
        raise TokenizationError("--special and --out do not go together: texts are data")
    else:
        from codex_ml.data.tokens import write_tokens

        count = write_tokens(out, texts, tokenizer, overwrite=force)
        _print({"path": str(out), "tokens": count, "tokenizer": tokenizer.digest})


@command.command()
@click.argument("tokenizer_file", type=_FILE, metavar="TOKENIZER")
@click.argument("ids_file", default=_STDIN, type=_FILE, metavar="[FILE]")
def decode(tokenizer_file: Path, ids_file: Path) -> None:
    """Write the text of a token file, or of a JSON list of ids (standard input by default)."""
    tokenizer = load(tokenizer_file)
    sys.stdout.buffer.write(tokenizer.decode(_read_ids(ids_file)).encode())


@command.command()
@click.argument("tokenizer_file", type=_FILE, metavar="TOKENIZER")
@click.argument("text", required=False)
def inspect(tokenizer_file: Path, text: str | None) -> None:
    """Print what a tokenizer is, and how it cuts TEXT, as JSON."""
    tokenizer = load(tokenizer_file)
    facts = _facts(tokenizer)
    if text is not None:
        ids = tokenizer.encode(text)
        facts["tokens"] = [{"id": token, "text": tokenizer.decode([token])} for token in ids]
    _print(facts)


def _facts(tokenizer: Tokenizer) -> dict[str, object]:
    return {
        "class": type(tokenizer).__name__,
        "vocab_size": tokenizer.vocab_size,
        "special_tokens": dict(tokenizer.special_tokens),
        "digest": tokenizer.digest,
    }


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise TokenizationError(f"standard input: byte {error.start} is not UTF-8") from None


def _read_ids(path: Path) -> list[int]:
    if path.suffix in (".npy", ".bin"):
        from codex_ml.data.tokens import open_tokens

        return open_tokens(path).ids.tolist()
    try:
        text = sys.stdin.read() if path == _STDIN else path.read_text()
        ids = json.loads(text)
    except (OSError, ValueError) as error:
        raise TokenizationError(f"{path}: not a JSON list of ids: {error}") from None
    if not isinstance(ids, list) or not all(type(token) is int for token in ids):
        raise TokenizationError(f"{path}: not a JSON list of ids")
    return ids


def _print(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(run(command))
