"""Which faces of a photo are meant, and what finds them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgen.errors import ImageError, UsageError
from imgen.runtime import load, onnxfile
from imgen.runtime.catalogue import default_model
from imgen_apps.face_finding import Face, FaceFinder, face_of_box, yunet
from imgen_apps.pipeline import Pixels

Find = Callable[[Pixels], list[Face]]
"""Pixels, H x W x C, to their faces, the largest first."""

Rectangle = tuple[float, float, float, float]
"""Left, top, width and height, in pixels of the upright photo."""

Which = Literal["largest", "all"] | int


@dataclass(frozen=True)
class Choice:
    """The faces of a photo that are meant.

    Args:
        which: "largest", "all", or a number: 1 is the largest, 2 the next one.
        box: of the one face that is meant, which need not be found then: from mid-forehead to chin, from ear to ear.

    Raises:
        UsageError: no such choice.
    """

    which: Which = "largest"
    box: Rectangle | None = None

    def __post_init__(self) -> None:
        number = isinstance(self.which, int) and not isinstance(self.which, bool)
        if self.which not in ("largest", "all") and not (number and int(self.which) > 0):
            raise UsageError(f"face is {self.which!r}, but it must be largest, all, or a number: 1 is the largest")
        if self.box is not None and (len(self.box) != 4 or not min(self.box[2:]) > 0):
            raise UsageError(f"box is {self.box}, but it must be x, y, width and height, the last two above 0")

    @classmethod
    def parse(cls, which: str, box: str | None = None) -> "Choice":
        """Read what a user writes: "largest", "all", "2"; "120,80,60,75".

        Raises:
            UsageError: no such choice.
        """
        rectangle = None
        if box is not None:
            try:
                x, y, width, height = (float(part) for part in box.split(","))
            except ValueError as error:
                raise UsageError(f"box {box!r}: write x,y,width,height in pixels, as in 120,80,60,75") from error
            rectangle = (x, y, width, height)
        return cls(int(which) if which.isdecimal() else which, rectangle)  # type: ignore[arg-type] # checked as it is made

    def of(self, pixels: Pixels, find: Find) -> list[Face]:
        """The faces that are meant; at least one.

        Raises:
            ImageError: there are none, or too few; the box lies outside.
        """
        if self.box is not None:
            height, width = pixels.shape[:2]
            x, y, wide, high = self.box
            if not (x < width and y < height and x + wide > 0 and y + high > 0):
                raise ImageError(f"the box {x:g},{y:g},{wide:g},{high:g} lies outside the {width} x {height} pixels")
            return [face_of_box(self.box)]
        faces = find(pixels)
        if not faces:
            raise ImageError("no face was found; say where it is with --box x,y,width,height")
        if isinstance(self.which, int):
            if self.which > len(faces):
                count = "one face was" if len(faces) == 1 else f"{len(faces)} faces were"
                raise ImageError(f"face {self.which} was asked for, but {count} found")
            return [faces[self.which - 1]]
        return faces if self.which == "all" else faces[:1]


class Detector:
    """What finds faces; its file is opened when the first photo comes, as faces may be given by their boxes.

    Args:
        source: name or file of a model of task "detect-face", or a detector of others in YuNet's format; by default
            the built-in one.
        device: as of ``imgen.runtime.load``.
        threads: the same.

    Raises, when it is first used:
        ModelError: the file is missing, corrupt, or of another kind.
    """

    def __init__(self, source: str | Path | None = None, *, device: str = "auto", threads: int | None = None):
        self._source, self._device, self._threads = source, device, threads
        self._find: Find | None = None
        self._lock = threading.Lock()

    def __call__(self, pixels: Pixels) -> list[Face]:
        """The faces of an image, the largest first."""
        with self._lock:
            if self._find is None:
                self._find = self._open()
        return self._find(pixels)

    def _open(self) -> Find:
        source = default_model("detect-face") if self._source is None else self._source
        if Path(source).suffix.lower() == ".onnx" and Path(source).is_file() and onnxfile.read(Path(source))[1] is None:
            return yunet(Path(source))
        return FaceFinder(load(source, device=self._device, threads=self._threads))
