"""The three stages of a batch of pairs: read a photo, put something on the glass before it, write both and the mask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.data.glass import Glass
from imgen.errors import ImageError, UsageError
from imgen.image import file
from imgen.image.metadata import Metadata
from imgen.image.pixels import to_8bit, to_rgba
from imgen_apps.jobs import Job

DIRTY, CLEAN, MASK = "dirty", "clean", "mask"
"""The folders of the pairs, and of where they differ."""


@dataclass
class Work:
    """A photo on its way."""

    target: Path
    clean: NDArray[np.uint8]
    metadata: Metadata
    glass: Glass | None = None


@dataclass(frozen=True)
class Degrading:
    """How a batch makes pairs; the options of ``imgen degrade``.

    What is drawn depends on the seed and the name of the pair alone: a photo more or less changes no other pair.

    Args:
        draw: one of ``imgen.data.drops.KINDS``.
        folder: for the pairs.
        count: pairs of each photo.
        seed: 0 or more.
        size: shorter side of the pairs; larger photos are made smaller. None keeps them as they are.
        density: share of the glass that is covered, 0..1; None: from little to much.
        max_pixels: refuse larger images, before decoding.

    Raises:
        UsageError: ``density`` is out of its range.
    """

    draw: Callable[..., Glass]
    folder: Path
    count: int = 1
    seed: int = 0
    size: int | None = None
    density: float | None = None
    max_pixels: int = file.DEFAULT_MAX_PIXELS

    def __post_init__(self) -> None:
        if self.density is not None and not 0 <= self.density <= 1:
            raise UsageError(f"the density is a share of the glass, 0 to 1, not {self.density:g}")

    def select(self, jobs: Sequence[Job]) -> list[Job]:
        """For each photo found its pairs; results of an earlier run are not photos.

        Args:
            jobs: with targets in the folder of the dirty ones.
        """
        mine = self.folder.resolve()
        digits = len(str(self.count))
        numbers = [f"-{number:0{digits}}" for number in range(1, self.count + 1)] if self.count > 1 else [""]
        return [
            replace(job, target=target, beside=(self._beside(CLEAN, target), self._beside(MASK, target)))
            for job in jobs
            if not job.source.resolve().is_relative_to(mine)
            for target in (job.target.with_stem(job.target.stem + number) for number in numbers)
        ]

    def load(self, job: Job) -> Work:
        """Read a photo, at the size of the pair.

        Raises:
            ImageError: it cannot be read, or has several frames.
        """
        picture = file.read(job.source, max_pixels=self.max_pixels)
        if len(picture.frames) > 1:
            raise ImageError(
                f"{job.source}: has {len(picture.frames)} frames; save the one to take as a file of its own"
            )
        clean = to_8bit(to_rgba(picture.pixels))[..., :3]
        height, width = clean.shape[:2]
        factor = min(1.0, (self.size or np.inf) / min(height, width))
        if factor < 1:
            size = (max(1, round(width * factor)), max(1, round(height * factor)))
            clean = np.asarray(cv2.resize(clean, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Work(job.target, np.ascontiguousarray(clean), picture.metadata.resized(*clean.shape[:2]))

    def process(self, work: Work) -> Work:
        """Draw what lies on the glass; the photo is the whole view."""
        name = work.target.relative_to(self.folder / DIRTY).as_posix()
        rng = np.random.default_rng((self.seed, crc32(name.encode())))
        view = float(min(work.clean.shape[:2]))
        return replace(work, glass=self.draw(work.clean, rng, density=self.density, view=view))

    def save(self, work: Work, target: Path) -> Mapping[str, object]:
        """Write the pair and its mask; returns what the report says of it."""
        assert work.glass is not None
        mask = np.rint(work.glass.mask[..., None] * 255).astype(np.uint8)
        _write(work.clean, self._beside(CLEAN, target), work.metadata)
        _write(mask, self._beside(MASK, target), Metadata())
        _write(work.glass.image, target, work.metadata)
        return {"covered": round(float(work.glass.mask.mean()), 4)}

    def parameters(self) -> dict[str, object]:
        """All that decides what a pair looks like, beside the photo."""
        own = {name: getattr(self, name) for name in ("seed", "size", "density")}
        return {"kind": self.draw.__name__, **own}

    def _beside(self, kind: str, target: Path) -> Path:
        return self.folder / kind / target.relative_to(self.folder / DIRTY)


def _write(pixels: NDArray[np.uint8], target: Path, metadata: Metadata) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    file.write(file.Picture([pixels], "PNG", metadata), target)
