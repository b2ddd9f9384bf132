"""What a run leaves to look at: log.jsonl, TensorBoard's files, and a line or a bar while it goes on."""

import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TextIO

from torch import Tensor

BAR = 24  # characters
REDRAW = 0.2  # seconds at least between two states of the bar


class Records:
    """The log of a run, from a step on: what an earlier, cut off attempt wrote beyond it is dropped.

    Args:
        folder: of the run; log.jsonl and tensorboard/ are in it.
        step: of the checkpoint that the run goes on from, or 0.
    """

    def __init__(self, folder: Path, step: int) -> None:
        # Where TensorFlow is installed too, tensorboard would load it, which takes seconds; this is its own switch.
        sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
        from torch.utils.tensorboard import SummaryWriter

        self._folder, self._log = folder, folder / "log.jsonl"
        if self._log.exists():
            lines = [line for line in self._log.read_text().splitlines(keepends=True) if _step(line) <= step]
            self._log.write_text("".join(lines))
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """One line of log.jsonl, one point a value in TensorBoard."""
        with self._log.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)
        self._board.flush()

    def picture(self, step: int, image: Tensor) -> None:
        """samples/step-NNNNNN.png, from C x H x W in 0..1, and the same in TensorBoard."""
        from torchvision.utils import save_image

        path = self._folder / "samples" / f"step-{step:06d}.png"
        path.parent.mkdir(exist_ok=True)
        save_image(image, path)
        self._board.add_image("samples", image, step)

    def close(self) -> None:
        """Write what is left."""
        self._board.close()


def _step(line: str) -> float:
    """Of a line of the log; a line cut short belongs to no step."""
    try:
        return json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return float("inf")


class Progress:
    """A bar with the terms of the last record on a terminal; elsewhere one plain line a record."""

    def __init__(self, steps: int, start: int, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._bar, self._quiet = self._stream.isatty() and not quiet, quiet
        self._steps, self._start, self._began, self._drawn = steps, start, time.monotonic(), 0.0
        self._terms = ""

    def advance(self, step: int) -> None:
        """``step`` steps are done."""
        now = time.monotonic()
        if not self._bar or now - self._drawn < REDRAW:
            return
        self._drawn = now
        left = int((now - self._began) / max(step - self._start, 1) * (self._steps - step))
        clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
        filled = BAR * step // self._steps
        text = f"[{'#' * filled}{'.' * (BAR - filled)}] {step}/{self._steps}  {clock}  {self._terms}"
        # Never the whole width: a line that wraps cannot be erased.
        self._write(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K")

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Show the terms."""
        self._terms = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        if not self._bar and not self._quiet:
            self._write(f"step {step}/{self._steps}  {self._terms}\n")

    def say(self, text: str) -> None:
        """Show a line that stays."""
        if not self._quiet:
            self._write(f"\r\x1b[K{text}\n" if self._bar else f"{text}\n")

    def close(self) -> None:
        """Leave the last state of the bar above what comes next."""
        if self._bar:
            self._write("\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
