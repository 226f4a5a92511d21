"""How a long sequence is cut so that each token is predicted exactly once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens ``[start, end)`` of a sequence, of which the last `scored` are predicted."""

    start: int
    end: int
    scored: int


def windows(length: int, first: int, block: int, stride: int) -> tuple[Window, ...]:
    """Cut a sequence for a model that sees `block` tokens.

    Every token from index `first` on (at least 1: the first has nothing before
    it) is scored in exactly one window, with as much of the text before it as
    fits. With `stride` = `block` these are the windows of EleutherAI's
    harness; a smaller stride gives each token more context and takes longer.
    """
    found = []
    done = first
    while done < length:
        end = min(done + stride, length)
        found.append(Window(max(0, end - block - 1), end, end - done))
        done = end
    return tuple(found)
