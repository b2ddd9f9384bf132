"""What one image goes through in every verb: it is read, worked on, and written as the options say."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from imgen.image import file
from imgen.runtime import Model
from imgen_apps.jobs import Job
from imgen_apps.pipeline import write_or_copy

W = TypeVar("W")


@dataclass(frozen=True, kw_only=True)
class Stages(ABC, Generic[W]):
    """The stages of a batch; W is an image on its way.

    Args:
        format: of the results, as users name it; None keeps the one of the target's name, or of the source.
        quality: 1..100, of JPEG, WebP and AVIF; see ``imgen.image.file.write``.
        strip_metadata: leave out ICC profile, EXIF, XMP and resolution.
        max_pixels: refuse larger images, before decoding.
    """

    format: str | None = None
    quality: int | None = None
    strip_metadata: bool = False
    max_pixels: int = file.DEFAULT_MAX_PIXELS

    def select(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Those of the jobs found that are to be done, each with what else it is made from."""
        return jobs

    def beside(self, source: Path | bytes, target: Path | None) -> tuple[Path, ...]:  # noqa: ARG002 - few verbs write more
        """The files written of an image beside its result, the target (None: standard output).

        Raises:
            UsageError: there have to be some, but there is no place for them.
        """
        return ()

    @abstractmethod
    def load(self, source: Path | bytes, target: Path | None) -> W:
        """Read an image, and refuse now what could not be written to the target (None: standard output) later.

        Raises:
            ImageError: it cannot be read, or its result not be written.
            UsageError: the target's name and the format contradict each other.
        """

    @abstractmethod
    def process(self, work: W) -> W:
        """Do the work."""

    def is_streamed(self, work: W) -> bool:  # noqa: ARG002 - few verbs make anything large
        """Whether the result is too large to be held, and is worked out while it is saved."""
        return False

    @abstractmethod
    def save(self, work: W, target: Path | BinaryIO) -> dict[str, object]:
        """Write the result; returns what the report says of it."""

    def said(self, report: Mapping[str, Any]) -> str:  # noqa: ARG002 - few verbs have anything to say
        """What is said of a result behind its name, by what the report says of it."""
        return ""

    def format_of(self, picture: file.Picture, target: Path | BinaryIO | None) -> str:
        """The format that the result of a picture is written in, by Pillow's name.

        Raises:
            UsageError: the target's name and the format contradict each other, or imgen does not write it.
        """
        return file.format_for(target, file.format_named(self.format) if self.format else None, picture.format)

    def write(self, picture: file.Picture, source: Path | bytes, target: Path | BinaryIO, *, changed: bool) -> None:
        """Write a picture as the options say; see ``imgen_apps.pipeline.write_or_copy``."""
        write_or_copy(
            picture,
            source,
            target,
            changed=changed,
            format=self.format,
            quality=self.quality,
            strip_metadata=self.strip_metadata,
        )

    def parameters(self) -> dict[str, object]:
        """All that decides what a result looks like, beside the files and the model."""
        return {"format": self.format, "quality": self.quality, "strip_metadata": self.strip_metadata}


def ran(model: Model) -> dict[str, object]:
    """What a report says of the model that made a result."""
    return {"model": model.spec.name, "device": model.device, "provider": model.provider}
