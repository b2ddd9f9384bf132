"""The three stages of a batch of inpaintings: load a photo and its mask, fill, write."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from imgen.image import file
from imgen_apps.companions import Companions
from imgen_apps.holes import Mask
from imgen_apps.inpainting import FEATHER, Inpainting
from imgen_apps.jobs import Job
from imgen_apps.masks import ALPHA, masks_for
from imgen_apps.stages import Stages, ran


@dataclass
class Work:
    """A photo on its way."""

    source: Path | bytes
    picture: file.Picture
    masks: list[Mask]  # one a frame
    changed: bool = False


@dataclass(frozen=True)
class Filling(Stages[Work]):
    """How a batch fills, and how it writes; the options of ``imgen inpaint``."""

    pipeline: Inpainting
    masks: Companions | None  # None: what is transparent in the photo
    invert: bool = False
    grow: int = 0
    feather: int = FEATHER

    def select(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that are not masks themselves, each with its mask beside it."""
        return self.masks.beside(jobs) if self.masks else list(jobs)

    def load(self, source: Path | bytes, target: Path | None) -> Work:  # noqa: ARG002 - any that could be read
        """Read a photo and its mask.

        Raises:
            ImageError: one of them cannot be read, or there is no mask for it.
        """
        mask = self.masks.of(source) if self.masks else ALPHA
        picture = file.read(source, max_pixels=self.max_pixels)
        masks = masks_for(picture.frames, mask, invert=self.invert, grow=self.grow, max_pixels=self.max_pixels)
        return Work(source, picture, masks)

    def process(self, work: Work) -> Work:
        """Fill all frames in place."""
        for frame, mask in zip(work.picture.frames, work.masks, strict=True):
            work.changed |= self.pipeline.fill(frame, mask, feather=self.feather)
        work.masks = []
        return work

    def save(self, work: Work, target: Path | BinaryIO) -> dict[str, object]:
        """Write the result; returns what the report says of it."""
        self.write(work.picture, work.source, target, changed=work.changed)
        return ran(self.pipeline.model)

    def parameters(self) -> dict[str, object]:
        """All that decides what a result looks like, beside the files and the model."""
        own = {name: getattr(self, name) for name in ("invert", "grow", "feather")}
        return {**self.pipeline.settings(), **own, **super().parameters()}
