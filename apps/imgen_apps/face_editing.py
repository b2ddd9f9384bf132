"""Change who a face is, or how it looks, in photos of any size, and measure how much it stays the same person."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from imgen import __version__
from imgen.errors import ImageError, UsageError
from imgen.image import face as frame
from imgen.runtime import Model
from imgen.runtime.model import Array
from imgen_apps.face_alignment import crop, in_the_colours_of, in_the_form_of, in_the_light_of, paste, similarity
from imgen_apps.face_choice import Choice, Detector, Find, Rectangle, Which
from imgen_apps.face_finding import Face
from imgen_apps.face_identity import Identity, check_least, cosine, own, strongest
from imgen_apps.face_model import Codes, FaceModel, between
from imgen_apps.pipeline import Image, Pipeline, Pixels, edit, first_frame

_MARGIN = 32  # pixels of a crop, around it: more than its sampling looks at


class Edited(NamedTuple):
    """What became of a face."""

    face: Face
    identity: float  # cosine of the codes of who it is: of a swap with the source, else with the face before
    same: bool | None  # whether these count as one person; None where that is not known
    strength: float  # of what was asked for, 0..1


class FaceEditing(Pipeline):
    """Edit faces by a network that tells who they are from how they look.

    >>> faces = FaceEditing(imgen.load_model("face.onnx"))  # doctest: +SKIP
    >>> faces.edit("photo.jpg", {"smile": 1.0}, min_identity=0.5)  # doctest: +SKIP
    'photo-edited.jpg'

    Args:
        model: of task "face".
        detector: what finds faces; by default the built-in detector.
        identity: what tells people apart; by default the model itself.

    Raises:
        ModelError: the model was made for another task, or its description lacks what faces are edited by.
    """

    task = "face"

    def __init__(self, model: Model, *, detector: Find | None = None, identity: Identity | None = None):
        super().__init__(model)
        self.network = FaceModel(model)
        self.find = detector or Detector()
        self.identity = identity or own(self.network)

    def swap(
        self,
        image: Image,
        source: Any,
        *,
        face: Which = "largest",
        box: Rectangle | None = None,
        source_box: Rectangle | None = None,
        min_identity: float | None = None,
        tag: bool = True,
        output: str | Path | None = None,
    ) -> Image:
        """Give faces of an image the identity of another; pose, light and expression stay.

        Args:
            image: a path, the bytes of a file, a PIL image or an array; see ``imgen_apps.pipeline.edit``.
            source: of any of these kinds: a picture of who it shall be, whose largest face is taken.
            face: which: "largest", "all" or a number from 1, the largest, on.
            box: x, y, width and height of the face, which is not looked for then.
            source_box: the same of the source.
            min_identity: refuse a result whose identity is less like the source's, as a cosine.
            tag: say in the metadata that the picture was edited; a PIL image and an array have no place for it.
            output: of an image given by its path, the file to write instead of ``<name>-swapped``.

        Returns:
            The same kind as ``image``, equal to it outside the faces.

        Raises:
            ImageError: an image cannot be read or has no face, or the identity is too far off.
            UsageError: arguments of the wrong kind or outside their range.
            ModelError: the network gave no numbers.
        """
        choice, who = Choice(face, box), self.face_of(source, source_box)

        def change(frames: list[Pixels]) -> bool:
            edited = [self.swap_faces(frame, who, choice, min_identity) for frame in frames]
            return any(edited)

        return edit(image, change, name_suffix="-swapped", output=output, edited=credit("swap") if tag else "")

    def edit(
        self,
        image: Image,
        amounts: Mapping[str, float],
        *,
        face: Which = "largest",
        box: Rectangle | None = None,
        min_identity: float | None = None,
        tag: bool = True,
        output: str | Path | None = None,
    ) -> Image:
        """Change attributes of faces: ``edit(image, {"smile": 1.0})``.

        Args:
            image: as of ``swap``.
            amounts: by the name of an attribute, -2..2; 1 goes from a clear no to a clear yes.
            face: as of ``swap``.
            box: the same.
            min_identity: lower the amounts until the face is as much like itself, as a cosine.
            tag: as of ``swap``.
            output: of an image given by its path, the file to write instead of ``<name>-edited``.

        Returns:
            The same kind as ``image``, equal to it outside the faces.

        Raises:
            As ``swap``, and UnknownNameError: the model knows no such attribute.
        """
        choice = Choice(face, box)
        self.network.check(amounts)

        def change(frames: list[Pixels]) -> bool:
            edited = [self.edit_faces(frame, amounts, choice, min_identity) for frame in frames]
            return any(edited)

        return edit(image, change, name_suffix="-edited", output=output, edited=credit("edit") if tag else "")

    def frontalise(
        self,
        image: Image,
        *,
        face: Which = "largest",
        box: Rectangle | None = None,
        min_identity: float | None = None,
        tag: bool = True,
        output: str | Path | None = None,
    ) -> Image:
        """A picture of a face alone, turned to the front: as large as the model makes it.

        Arguments are those of ``edit``; without ``output`` the file is ``<name>-frontal``. Of several frames each
        must have a face.
        """
        choice, side = Choice(face, box), self.network.size

        def change(frames: list[Pixels]) -> bool:
            frames[:] = [self.frontal_face(frame, choice, min_identity)[0] for frame in frames]
            return True

        named = credit("frontalise") if tag else ""
        return edit(image, change, name_suffix="-frontal", output=output, size=lambda *_: (side, side), edited=named)

    def face_of(self, image: Any, box: Rectangle | None = None) -> Array:
        """The aligned crop, 1 x 3 x S x S, of the largest face of an image of any kind; of several frames the first.

        Raises:
            ImageError: it cannot be read, or has no face.
        """
        pixels = first_frame(image)
        try:
            return crop(pixels, Choice(box=box).of(pixels, self.find)[0], self.network.size)
        except ImageError as error:
            raise ImageError(f"{image}: {error}" if isinstance(image, str | Path) else str(error)) from error

    def similarity(self, first: Array, second: Array) -> tuple[float, bool | None]:
        """How much two aligned crops look like one person, a cosine; whether they count as one, if that is known."""
        score = cosine(self.identity.embed(first), self.identity.embed(second))
        return score, self.identity.is_same(score)

    def morph(self, first: Array, second: Array, steps: int) -> list[Array]:
        """Faces on the way from one aligned crop to another, in who it is and how it looks; both ends included.

        Raises:
            UsageError: fewer than two steps.
        """
        if steps < 2:
            raise UsageError(f"steps is {steps}, but a way has two ends; give 2 or more")
        ends = self.network.encode(first), self.network.encode(second)
        return [self.network.decode(between(*ends, step / (steps - 1))) for step in range(steps)]

    def swap_faces(self, pixels: Pixels, who: Array, choice: Choice, least: float | None = None) -> list[Edited]:
        """Give faces of an image the identity of an aligned crop, in place.

        Raises:
            ImageError: there is no face, or the identity is too far off.
        """
        check_least(least)
        target, identity = self.network.encode(who).identity, self.identity.embed(who)

        def swapped(part: Pixels, face: Face, before: Array) -> tuple[Pixels, float, float]:
            codes, made = self.network.encode(before), part.copy()
            other = self.network.decode(Codes(target, codes.attributes))
            paste(made, face, before, in_the_colours_of(before, other))
            score = cosine(identity, self._seen(made, face))
            if least is not None and score < least:
                raise ImageError(f"the result has identity {score:.2f} of the source, below {least:g}; ask for less")
            return made, score, 1.0

        return self._each(pixels, choice, swapped)

    def edit_faces(
        self, pixels: Pixels, amounts: Mapping[str, float], choice: Choice, least: float | None = None
    ) -> list[Edited]:
        """Change attributes of faces of an image, in place; what the network changes is carried to the photo.

        Raises:
            ImageError: there is no face, or it does not stay itself however little is changed.
        """
        check_least(least)

        def shifted(part: Pixels, face: Face, before: Array) -> tuple[Pixels, float, float]:
            codes, identity = self.network.encode(before), self.identity.embed(before)
            shift, share = self.network.shift(amounts, codes.attributes)
            rebuilt = self.network.decode(codes)

            def attempt(strength: float) -> tuple[Pixels, float]:
                made = self.network.decode(Codes(codes.identity, codes.attributes + np.float32(strength) * shift))
                result = part.copy()
                paste(result, face, *in_the_light_of(before, rebuilt, made))
                return result, cosine(identity, self._seen(result, face))

            made, score, strength = strongest(attempt, least)
            return made, score, strength * share

        return self._each(pixels, choice, shifted) if any(amounts.values()) else []

    def frontal_face(self, pixels: Pixels, choice: Choice, least: float | None = None) -> tuple[Pixels, Edited]:
        """A face of an image as seen from the front, S x S x C of the same type, opaque.

        Raises:
            ImageError: there is no face, or it does not stay itself however little it is turned.
            UsageError: all faces were asked for.
        """
        check_least(least)
        if choice.which == "all":
            raise UsageError("a picture of one face is made; give --face largest or a number")
        face = choice.of(pixels, self.find)[0]
        before = crop(pixels, face, self.network.size)
        codes, identity = self.network.encode(before), self.identity.embed(before)
        front = Codes(codes.identity, self.network.frontal)

        def attempt(strength: float) -> tuple[Array, float]:
            made = self.network.decode(between(codes, front, strength))
            return made, cosine(identity, self.identity.embed(made))

        made, score, strength = strongest(attempt, least)
        return in_the_form_of(pixels, made), self._edited(face, score, strength)

    def _each(
        self, pixels: Pixels, choice: Choice, change: Callable[[Pixels, Face, Array], tuple[Pixels, float, float]]
    ) -> list[Edited]:
        """Change the faces of an image in place, one after the other.

        Args:
            pixels: the image.
            choice: which faces.
            change: a part of the image, the face in it and its crop to the part changed, its score and strength.
        """
        edited = []
        for face in choice.of(pixels, self.find):
            before, (part, inside) = crop(pixels, face, self.network.size), _around(pixels, face)
            part[...], score, strength = change(part, inside, before)
            edited.append(self._edited(face, score, strength))
        return edited

    def _seen(self, pixels: Pixels, face: Face) -> Array:
        """Who a face in an image is."""
        return self.identity.embed(crop(pixels, face, self.network.size))

    def _edited(self, face: Face, score: float, strength: float) -> Edited:
        return Edited(face, score, self.identity.is_same(score), strength)


def credit(verb: str) -> str:
    """What the metadata of an edited picture say."""
    return f"edited with imgen face {verb} (imgen {__version__})"


def _around(pixels: Pixels, face: Face) -> tuple[Pixels, Face]:
    """The part of an image that holds all that is looked at of a face, a view, and the face in it."""
    away, side = np.array([-_MARGIN, frame.SIDE + _MARGIN]), similarity(np.array(frame.POINTS), face.points)
    corners = side[:, :2] @ np.array([np.repeat(away, 2), np.tile(away, 2)]) + side[:, 2:]
    left, top = (max(0, int(place)) for place in corners.min(1))
    right, bottom = (max(0, int(place) + 1) for place in corners.max(1))
    box = (face.box[0] - left, face.box[1] - top, *face.box[2:])
    return pixels[top:bottom, left:right], Face(box, face.score, face.points - np.array([left, top]))
