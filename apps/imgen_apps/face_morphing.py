"""A row or an animation of the faces between two."""

import numpy as np

from imgen.image import file
from imgen.image.metadata import Metadata
from imgen.image.tensor import to_pixels
from imgen.runtime.model import Array
from imgen_apps.face_editing import FaceEditing, credit
from imgen_apps.face_identity import cosine

MILLISECONDS = 120.0
"""That each picture of an animation is shown."""


def morphed(
    faces: FaceEditing, first: Array, second: Array, steps: int, *, animate: bool, tag: bool
) -> tuple[file.Picture, list[tuple[float, float]]]:
    """Faces on the way from one aligned crop to another, side by side or one after the other.

    Args:
        faces: what edits.
        first: 1 x 3 x S x S.
        second: the same.
        steps: how many faces, at least 2.
        animate: one after the other.
        tag: say in the metadata that this is edited.

    Returns:
        The picture, 8 bits; and for each face how much it is like the first and like the second.

    Raises:
        UsageError: fewer than two steps.
    """
    made = faces.morph(first, second, steps)
    ends = [faces.identity.embed(crop) for crop in (first, second)]
    scores = [(cosine(ends[0], who), cosine(ends[1], who)) for who in map(faces.identity.embed, made)]
    frames = [to_pixels(face) for face in made]
    metadata = Metadata(durations=(MILLISECONDS,) * steps, loop=0, lossless=True) if animate else Metadata()
    if tag:
        metadata = metadata.edited_with(credit("morph"))
    return file.Picture(frames if animate else [np.concatenate(frames, axis=1)], "PNG", metadata), scores
