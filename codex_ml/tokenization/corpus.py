"""Text files, read in blocks that fit into memory."""

import codecs
from collections.abc import Iterable, Iterator
from pathlib import Path

from codex_ml.tokenization.errors import TokenizationError

BLOCK = 1 << 20  # characters


def blocks(path: Path) -> Iterator[str]:
    """Yield the text of a UTF-8 file in blocks of about a million characters.

    A block ends after a line break that no blank follows, so encoding block by
    block gives the ids of the whole text: GPT-2-like splits never cross such a
    place, and models trained line by line have no token across it. Every
    character comes back as it is in the file, line ends too. A file without such
    a place is one block.

    Raises:
        TokenizationError: the file is missing, unreadable or not UTF-8.

    """
    rest = ""
    for text in _decoded(path):
        rest += text
        if len(rest) >= BLOCK and (seam := _last_seam(rest)):
            yield rest[:seam]
            rest = rest[seam:]
    if rest:
        yield rest


def corpus(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the blocks of all files, file by file."""
    for path in paths:
        yield from blocks(path)


def _decoded(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    try:
        with path.open("rb") as stream:
            while data := stream.read(BLOCK):
                pending = len(decoder.getstate()[0])
                yield decoder.decode(data)
                done += len(data)
            pending = len(decoder.getstate()[0])
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise TokenizationError(
            f"{path}: byte {done - pending + error.start} is not UTF-8: convert the file first"
        ) from None
    except OSError as error:
        raise TokenizationError(f"{path}: cannot be read: {error.strerror}") from None


def _last_seam(text: str) -> int:
    """Place after the last line break that no blank follows; 0 if there is none."""
    end = len(text)
    while (end := text.rfind("\n", 0, end)) >= 0:
        follows = text[end + 1 : end + 2]
        if follows and not follows.isspace():
            return end + 1
    return 0
