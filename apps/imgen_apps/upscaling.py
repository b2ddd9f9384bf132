"""The three stages of a batch of upscalings: load a photo and settle its size, upscale, write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from imgen.image import file
from imgen.image.bands import STREAMED, write_bands
from imgen.image.encode import OPAQUE
from imgen.image.pixels import Pixels, all_or_nothing, without_alpha
from imgen.image.tensor import Size
from imgen_apps.pipeline import sizes_after
from imgen_apps.sizes import Enlargement
from imgen_apps.stages import Stages, ran
from imgen_apps.super_resolution import SuperResolution
from imgen_apps.task import tell

LARGE = 64_000_000
"""Pixels of a result from which on it is worked out while it is written, never whole in memory."""


@dataclass
class Work:
    """A photo on its way."""

    picture: file.Picture  # as read, then the result
    pipeline: SuperResolution  # of the first frame; pages of a TIFF may differ in size
    sizes: list[Size]  # of the results, one a frame
    format: str  # Pillow's name, to be written
    is_streamed: bool


@dataclass(frozen=True)
class Upscaling(Stages[Work]):
    """How a batch upscales, and how it writes; the options of ``imgen upscale``.

    Args:
        pipeline_for: the pipeline for a scale.
        enlargement: how large results are.
    """

    pipeline_for: Callable[[float], SuperResolution]
    enlargement: Enlargement

    def load(self, source: Path | bytes, target: Path | None) -> Work:
        """Read a photo.

        Raises:
            ImageError: it cannot be read, or the format to be written cannot hold the result.
            UsageError: the target's name and the format contradict each other.
        """
        picture = file.read(source, max_pixels=self.max_pixels)
        name, format_ = str(target or "the output"), self.format_of(picture, target)
        sizes = sizes_after(picture, self.enlargement.size, name, format_, may_round=bool(self.format))
        if format_ in OPAQUE:
            picture.frames = [without_alpha(frame) for frame in picture.frames]
        picture.metadata = picture.metadata.resized(*sizes[0])
        is_large = len(sizes) == 1 and sizes[0][0] * sizes[0][1] > LARGE and format_ in STREAMED
        return Work(picture, self._pipeline(picture.pixels), sizes, format_, is_large)

    def process(self, work: Work) -> Work:
        """Upscale all frames, but for a large result."""
        if not work.is_streamed:
            frames = zip(work.picture.frames, work.sizes, strict=True)
            work.picture.frames = [self._pipeline(frame).upscale(frame, size) for frame, size in frames]
            if work.format == "GIF":  # its alpha was hard, but upscaling softens edges
                work.picture.frames = [all_or_nothing(frame) for frame in work.picture.frames]
        return work

    def is_streamed(self, work: Work) -> bool:
        """Whether the result is large."""
        return work.is_streamed

    def save(self, work: Work, target: Path | BinaryIO) -> dict[str, object]:
        """Write the result, and upscale a large one; returns what the report says of it."""
        picture, (height, width) = work.picture, work.sizes[0]
        if work.is_streamed:
            write_bands(
                _told(work.pipeline.bands(picture.pixels, (height, width)), height),
                target,
                height=height,
                width=width,
                channels=picture.pixels.shape[2],
                dtype=picture.pixels.dtype,
                source=picture.metadata,
                format=work.format,
                quality=self.quality,
                strip_metadata=self.strip_metadata,
            )
        else:
            file.write(picture, target, format=self.format, quality=self.quality, strip_metadata=self.strip_metadata)
        return ran(work.pipeline.model)

    def parameters(self) -> dict[str, object]:
        """All that decides what a result looks like, beside the files and the models."""
        return {"scale": self.enlargement.scale, "target": self.enlargement.target, **super().parameters()}

    def _pipeline(self, frame: Pixels) -> SuperResolution:
        return self.pipeline_for(self.enlargement.factor(*frame.shape[:2]))


def _told(bands: Iterator[Pixels], height: int) -> Iterator[Pixels]:
    """The bands, with word of how far they have got."""
    rows = 0
    tell(0)
    for band in bands:
        yield band
        rows += len(band)
        tell(rows / height)
