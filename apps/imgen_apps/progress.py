"""What a batch says while it runs: on stderr, because stdout may carry an image."""

import shutil
import sys
import time
from types import TracebackType
from typing import Self, TextIO

BAR = 24  # characters


class Progress:
    """A bar with the lines that matter above it on a terminal; elsewhere one plain line a file.

    Args:
        total: how many files there are.
        quiet: neither bar nor lines about files that went well.
        stream: where to write; the stderr of now by default.
    """

    def __init__(self, total: int, *, quiet: bool = False, stream: TextIO | None = None):
        self._stream = sys.stderr if stream is None else stream
        self._total, self._count, self._part, self._quiet = total, 0, 0.0, quiet
        self._terminal = not quiet and self._stream.isatty()
        self._bar = total > 1 and self._terminal
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        """Draw the empty bar."""
        self._draw()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the bar away."""
        self._erase()
        self._bar = False

    def within(self, part: float) -> None:
        """So much of the next file, 0..1, has been dealt with; of a file that tells this a bar is shown at once."""
        self._part, self._bar = part, self._terminal
        self._draw()

    def advance(self, line: str) -> None:
        """One more file has been dealt with; ``line`` is shown where there is no bar, and for a single file."""
        self._count, self._part = self._count + 1, 0.0
        if self._bar and self._total > 1:
            self._draw()
        elif not self._quiet:
            self._erase()
            count = f"[{self._count}/{self._total}] " if self._total > 1 else ""
            self._write(f"{count}{line}\n")

    def fail(self, reason: str) -> None:
        """One more file has been dealt with, and came to nothing."""
        self._count, self._part = self._count + 1, 0.0
        self.say(f"error: {reason}")

    def say(self, text: str) -> None:
        """Show what the user has to see in any case."""
        self._erase()
        self._write(f"{text}\n")
        self._draw()

    def _draw(self) -> None:
        if not self._bar:
            return
        done = self._count + self._part
        filled = int(BAR * done / self._total)
        elapsed = time.monotonic() - self._start
        left = elapsed / done * (self._total - done) if done else 0
        rest = f"{int(left) // 60}:{int(left) % 60:02} left" if done else ""
        share = f"{self._count}/{self._total}" if self._total > 1 else f"{100 * done:.0f} %"
        text = f"[{'#' * filled}{'.' * (BAR - filled)}] {share} {rest}"
        # Never the whole width: a line that wraps cannot be erased.
        self._write(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K")

    def _erase(self) -> None:
        if self._bar:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
