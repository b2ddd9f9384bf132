"""The three stages of a batch of translations: load a photo or a label map, translate it, write what came of it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from imgen.data.label_maps import read_instances
from imgen.errors import ImageError, UsageError
from imgen.image import file
from imgen_apps.companions import Companions
from imgen_apps.jobs import Job
from imgen_apps.pipeline import sizes_after
from imgen_apps.stages import Stages, ran
from imgen_apps.translation import Translated, Translation


@dataclass
class Work:
    """An image on its way."""

    source: Path | bytes
    picture: file.Picture
    things: NDArray[np.integer] | None = None  # the number of the thing at every pixel
    results: list[list[Translated]] = field(default_factory=list)  # for each style the frames


@dataclass(frozen=True)
class Translating(Stages[Work]):
    """How a batch translates, and how it writes; the options of ``imgen translate``.

    Args:
        pipeline: what translates.
        strength: see ``Translation``.
        size: see there.
        styles: how many results are made of an image; those after the first are called ``<name>-2``, ``-3``, ...
        instances: the instance maps of label maps; without them a class is one thing.

    Raises:
        UsageError: out of range, or not for this network.
    """

    pipeline: Translation
    strength: float = 1.0
    size: int | None = None
    styles: int = 1
    instances: Companions | None = None

    def __post_init__(self) -> None:
        self.pipeline.check(strength=self.strength, size=self.size, style=self.styles - 1)
        spec = self.pipeline.model.spec
        if self.instances and not spec.boundaries:
            raise UsageError(f"{spec.name} does not ask where one thing ends and another begins; leave --instances out")

    def select(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that are not instance maps themselves, each with its own beside it."""
        return self.instances.beside(jobs) if self.instances else list(jobs)

    def beside(self, source: Path | bytes, target: Path | None) -> tuple[Path, ...]:  # noqa: ARG002
        """The results after the first.

        Raises:
            UsageError: standard output cannot take them.
        """
        if self.styles > 1 and target is None:
            raise UsageError(f"standard output takes one image, not {self.styles} styles; name a file with --output")
        numbers = range(2, self.styles + 1)
        return () if target is None else tuple(target.with_stem(f"{target.stem}-{number}") for number in numbers)

    def load(self, source: Path | bytes, target: Path | None) -> Work:
        """Read an image.

        Raises:
            ImageError: it cannot be read, the format to be written cannot hold the result, or a label map has other
                classes.
            UsageError: the target's name and the format contradict each other.
        """
        picture = file.read(source, max_pixels=self.max_pixels)
        name, format_ = str(target or "the output"), self.format_of(picture, target)
        sizes_after(picture, lambda height, width: (height, width), name, format_, may_round=bool(self.format))
        if self.pipeline.palette is not None:
            for frame in picture.frames:
                self.pipeline.palette.numbers(frame, "the label map" if isinstance(source, bytes) else str(source))
        return Work(source, picture, self._things(source, picture))

    def _things(self, source: Path | bytes, picture: file.Picture) -> NDArray[np.integer] | None:
        """The instance map of a label map, if there is one."""
        if self.instances is None:
            return None
        path = self.instances.of(source)
        things, size = read_instances(path), picture.pixels.shape[:2]
        if things.shape != size:
            raise ImageError(
                f"{path}: is {things.shape[1]} x {things.shape[0]} pixels, its label map {size[1]} x {size[0]}; an "
                "instance map is of the same size"
            )
        return things

    def process(self, work: Work) -> Work:
        """Translate all frames, in every style; nothing at strength 0."""
        for style in range(self.styles if self.strength else 0):
            work.results.append(
                [
                    self.pipeline.translate(
                        frame, strength=self.strength, size=self.size, style=style, things=work.things
                    )
                    for frame in work.picture.frames
                ]
            )
        reduced = [frame for frames in work.results[:1] for frame in frames if frame.how == "reduced"]
        if reduced and self.size is None:
            height, width = reduced[0].seen
            name = self.pipeline.model.spec.name
            warnings.warn(f"{name} sees all of an image at once, so it saw this at {width} x {height}", stacklevel=2)
        return work

    def save(self, work: Work, target: Path | BinaryIO) -> dict[str, object]:
        """Write the results; returns what the report says of the first."""
        targets = [target, *(self.beside(work.source, target) if isinstance(target, Path) else ())]
        if not work.results:
            for to in targets:
                self.write(work.picture, work.source, to, changed=False)
            return ran(self.pipeline.model)
        for frames, to in zip(work.results, targets, strict=True):
            picture = replace(work.picture, frames=[frame.pixels for frame in frames])
            if work.picture.pixels.shape[2] < 3:
                picture.metadata = picture.metadata.recoloured()
            self.write(picture, work.source, to, changed=True)
        (height, width), how = work.results[0][0].seen, work.results[0][0].how
        return {**ran(self.pipeline.model), "how": how, "seen": f"{width}x{height}"}

    def parameters(self) -> dict[str, object]:
        """All that decides what a result looks like, beside the files and the model."""
        own = {name: getattr(self, name) for name in ("strength", "size", "styles")}
        return {**own, **super().parameters()}
