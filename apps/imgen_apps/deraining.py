"""The three stages of a batch of raindrop removals: load a photo, remove the drops, write it and where they were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from imgen.image import file
from imgen_apps.attention import Map, write_maps
from imgen_apps.jobs import Job
from imgen_apps.raindrop_removal import RaindropRemoval, check_strength
from imgen_apps.stages import Stages, ran

STANDARD_INPUT = Path("-")


@dataclass
class Work:
    """A photo on its way."""

    source: Path | bytes
    picture: file.Picture
    found: list[Map] = field(default_factory=list)  # one a frame
    changed: bool = False


@dataclass(frozen=True)
class Deraining(Stages[Work]):
    """How a batch removes drops, and how it writes; the options of ``imgen derain``.

    Args:
        pipeline: what removes them.
        strength: see ``RaindropRemoval``.
        everywhere: see there.
        maps: for each source the picture to write of where its drops were; empty: none.

    Raises:
        UsageError: ``strength`` is out of its range, or imgen writes no format of a map's suffix.
    """

    pipeline: RaindropRemoval
    strength: float = 1.0
    everywhere: bool = False
    maps: Mapping[Path, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_strength(self.strength)
        for path in self.maps.values():
            file.format_for(path, None, "PNG")

    def select(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """The jobs that are not maps of an earlier run."""
        return [job for job in jobs if not self.maps or job.source in self.maps]

    def beside(self, source: Path | bytes, target: Path | None) -> tuple[Path, ...]:  # noqa: ARG002 - maps are listed
        """Its map."""
        path = self.maps.get(STANDARD_INPUT if isinstance(source, bytes) else source)
        return () if path is None else (path,)

    def load(self, source: Path | bytes, target: Path | None) -> Work:  # noqa: ARG002 - any that could be read
        """Read a photo.

        Raises:
            ImageError: it cannot be read.
        """
        return Work(source, file.read(source, max_pixels=self.max_pixels))

    def process(self, work: Work) -> Work:
        """Remove the drops from all frames in place."""
        for frame in work.picture.frames:
            done = self.pipeline.remove(frame, strength=self.strength, everywhere=self.everywhere)
            work.found.append(done.found)
            work.changed |= done.changed
        return work

    def save(self, work: Work, target: Path | BinaryIO) -> dict[str, object]:
        """Write the result and the map; returns what the report says of it."""
        for path in self.beside(work.source, None):
            write_maps(work.found, path, work.picture.metadata)
        self.write(work.picture, work.source, target, changed=work.changed)
        covered = sum(map(np.count_nonzero, work.found)) / sum(found.size for found in work.found)
        return {**ran(self.pipeline.model), "covered": round(covered, 4)}

    def parameters(self) -> dict[str, object]:
        """All that decides what a result looks like, beside the files and the model."""
        own = {name: getattr(self, name) for name in ("strength", "everywhere")}
        return {"tile": self.pipeline.tile, **own, **super().parameters()}
