"""The three stages of a batch of edits of faces: load a photo, edit its faces, write it and how much they changed."""

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from imgen.errors import ImageError
from imgen.image import file
from imgen.image.tensor import Size
from imgen.runtime.model import Array
from imgen_apps.face_choice import Choice
from imgen_apps.face_editing import Edited, FaceEditing, credit
from imgen_apps.face_identity import check_least
from imgen_apps.jobs import Job
from imgen_apps.pipeline import Pixels, sizes_after
from imgen_apps.stages import Stages, ran


@dataclass
class Work:
    """A photo on its way."""

    source: Path | bytes
    picture: file.Picture
    edited: list[Edited] = field(default_factory=list)  # the faces of all frames


@dataclass(frozen=True)
class FaceStages(Stages[Work]):
    """How a batch edits faces, and how it writes; what the verbs of ``imgen face`` have in common.

    Args:
        pipeline: what edits.
        choice: which faces.
        min_identity: see ``FaceEditing``.
        tag: say in the metadata that the picture was edited, with ``strip_metadata`` too.

    Raises:
        UsageError: ``min_identity`` is out of its range.
    """

    verb: ClassVar[str]

    pipeline: FaceEditing
    choice: Choice
    min_identity: float | None = None
    tag: bool = True

    def __post_init__(self) -> None:
        check_least(self.min_identity)

    @abstractmethod
    def change(self, frame: Pixels) -> tuple[Pixels, list[Edited]]:
        """A frame that was edited, in place or not, and what became of its faces."""

    def size(self, height: int, width: int) -> Size:
        """Of the result of a photo of this size."""
        return height, width

    def load(self, source: Path | bytes, target: Path | None) -> Work:
        """Read a photo.

        Raises:
            ImageError: it cannot be read, or the format to be written cannot hold the result.
            UsageError: the target's name and the format contradict each other.
        """
        picture = file.read(source, max_pixels=self.max_pixels)
        name, format_ = str(target or "the output"), self.format_of(picture, target)
        sizes_after(picture, self.size, name, format_, may_round=bool(self.format))
        return Work(source, picture)

    def process(self, work: Work) -> Work:
        """Edit the faces of all frames.

        Raises:
            ImageError: a frame has no face, or its identity is too far off.
        """
        picture = work.picture
        before = [frame.shape[:2] for frame in picture.frames]
        try:
            done = [self.change(frame) for frame in picture.frames]
        except ImageError as error:
            raise ImageError(f"{work.source}: {error}" if isinstance(work.source, Path) else str(error)) from error
        picture.frames = [frame for frame, _ in done]
        work.edited = [face for _, faces in done for face in faces]
        if before != [frame.shape[:2] for frame in picture.frames]:
            picture.metadata = picture.metadata.resized(*picture.pixels.shape[:2])
        if self.tag and work.edited:
            picture.metadata = picture.metadata.edited_with(credit(self.verb))
        return work

    def save(self, work: Work, target: Path | BinaryIO) -> dict[str, object]:
        """Write the result; returns what the report says of it."""
        if self.tag and work.edited and self.format_of(work.picture, target) == "BMP":
            warnings.warn("BMP has no place to say that the picture was edited; choose png or jpg", stacklevel=2)
        self.write(work.picture, work.source, target, changed=bool(work.edited))
        return {**ran(self.pipeline.model), "faces": [_described(face) for face in work.edited]}

    def said(self, report: Mapping[str, Any]) -> str:
        """How much the faces are like those that they should be like."""
        return "; ".join(_in_words(**face) for face in report["faces"])

    def parameters(self) -> dict[str, object]:
        """All that decides what a result looks like, beside the files and the models."""
        own = {"verb": self.verb, "which": self.choice.which, "box": self.choice.box}
        return {**own, "min_identity": self.min_identity, "tag": self.tag, **super().parameters()}


@dataclass(frozen=True)
class Swapping(FaceStages):
    """How a batch swaps faces; the options of ``imgen face swap``.

    Args:
        who: the aligned crop of whose face it shall be.
        source: the file that it comes from.
    """

    verb = "swap"

    who: Array = field(kw_only=True)
    source: Path = field(kw_only=True)

    def select(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """The jobs, each made from the source, too."""
        return [replace(job, companions=(*job.companions, self.source)) for job in jobs]

    def change(self, frame: Pixels) -> tuple[Pixels, list[Edited]]:
        """Give faces the identity of the source, in place."""
        return frame, self.pipeline.swap_faces(frame, self.who, self.choice, self.min_identity)


@dataclass(frozen=True)
class Shifting(FaceStages):
    """How a batch changes attributes of faces; the options of ``imgen face edit``.

    Args:
        amounts: by the name of an attribute, -2..2.

    Raises:
        UnknownNameError: the model knows no such attribute.
        UsageError: an amount is out of its range.
    """

    verb = "edit"

    amounts: Mapping[str, float] = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pipeline.network.check(self.amounts)

    def change(self, frame: Pixels) -> tuple[Pixels, list[Edited]]:
        """Shift the attributes of faces, in place."""
        return frame, self.pipeline.edit_faces(frame, self.amounts, self.choice, self.min_identity)

    def parameters(self) -> dict[str, object]:
        """All that decides what a result looks like, beside the files and the models."""
        return {"amounts": dict(self.amounts), **super().parameters()}


@dataclass(frozen=True)
class Frontalising(FaceStages):
    """How a batch turns faces to the front; the options of ``imgen face frontalise``."""

    verb = "frontalise"

    def size(self, height: int, width: int) -> Size:  # noqa: ARG002 - one size for all
        """That of the network's faces."""
        return self.pipeline.network.size, self.pipeline.network.size

    def change(self, frame: Pixels) -> tuple[Pixels, list[Edited]]:
        """A picture of the face alone."""
        made, face = self.pipeline.frontal_face(frame, self.choice, self.min_identity)
        return made, [face]


def _described(edited: Edited) -> dict[str, object]:
    """A face in the report."""
    return {
        "box": [round(float(value), 1) for value in edited.face.box],
        "identity": round(edited.identity, 4),
        "same": edited.same,
        "strength": round(edited.strength, 4),
    }


def _in_words(box: object, identity: float, same: bool | None, strength: float) -> str:  # noqa: ARG001 - nobody reads boxes
    verdict = "" if same is None else ", the same person" if same else ", not the same person"
    lowered = "" if strength == 1 else f", at strength {strength:.2f}"
    return f"identity {identity:.2f}{verdict}{lowered}"
