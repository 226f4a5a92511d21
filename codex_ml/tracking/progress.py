"""A line on the terminal that says how far training is."""

import sys
from typing import TextIO

from codex_ml.tracking.base import Record


class ProgressLine:
    """Rewrites one line of a terminal; on anything else it is silent."""

    def __init__(self, steps: int, stream: TextIO | None = None) -> None:
        """Take the number of steps to go to, and the stream: today's standard error by default."""
        stream = stream or sys.stderr
        self._steps = steps
        self._stream = stream if stream.isatty() else None

    def log(self, step: int, record: Record) -> None:
        """Show the step, its losses and the speed."""
        if self._stream is None:
            return
        parts = [f"step {step:,}/{self._steps:,}"]
        parts += [f"{name} {record[name]:.4f}" for name in _SHOWN if name in record]
        if "tokens_per_second" in record:
            parts.append(f"{record['tokens_per_second']:,.0f} tokens/s")
        self._stream.write(f"\r\x1b[K{'  '.join(parts)}")
        self._stream.flush()

    def close(self) -> None:
        """Leave the line."""
        if self._stream is not None:
            self._stream.write("\n")


_SHOWN = ("loss", "validation_loss")
