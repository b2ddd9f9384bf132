"""Fill a hole by a network that knows what kind of thing the photo shows, again and again.

Bao et al. 2017, "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training", arXiv:1703.10155, among its
experiments: the image goes through an auto-encoder that is told the class; what that makes of the hole replaces the
hole; and so on.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from imgen.errors import UsageError
from imgen.lookup import find
from imgen.runtime import Model
from imgen_apps.holes import CELL, Box, Group, Mask, Plan
from imgen_apps.inpainting import Inpainting

ITERATIONS = 10
"""Of the paper."""

Array = npt.NDArray[np.float32]


class IteratedInpainting(Inpainting):
    """Fill holes with what a thing of a class would have there.

    The network sees squares of one size. It is shown the largest square of the photo that holds the holes, as near
    to its middle as can be: it was trained on the middle squares of whole photos. Where the holes reach over more
    than such a square, it is shown the whole photo, squeezed.

    >>> fill = IteratedInpainting(imgen.load_model("runs/fruit/autoencoder.safetensors"), "Banana")  # doctest: +SKIP
    >>> fill("photo.jpg", "mask.png")  # doctest: +SKIP
    'photo-inpainted.jpg'

    Args:
        model: of task "reconstruct".
        label: name of the class, or its number where classes have no names.
        iterations: how many times the image goes through the network.

    Raises:
        ModelError: the model was made for another task.
        UsageError: the model knows no such class, or there are to be no iterations.
    """

    task = "reconstruct"

    def __init__(self, model: Model, label: str, *, iterations: int = ITERATIONS):
        super().__init__(model)
        if iterations < 1:
            raise UsageError(f"iterations is {iterations}, but the image has to go through the network at least once")
        self.label, self.iterations = label, iterations
        names = model.spec.class_names or tuple(map(str, range(model.spec.classes)))
        number = find({name: place for place, name in enumerate(names)}, label, f"class of {model.spec.name}")
        self._classes = np.eye(len(names), dtype=np.float32)[[number]]

    def settings(self) -> dict[str, object]:
        """What decides a result, beside the model."""
        return {"class": self.label, "iterations": self.iterations}

    def _plan(self, mask: Mask) -> Plan:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        owner = np.ones((-(-mask.shape[0] // CELL), -(-mask.shape[1] // CELL)), np.int32)
        if not rows.size:
            return Plan([], owner)
        hole = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
        crop = _square(hole, *mask.shape)
        return Plan([Group(1, hole, crop, min(1.0, self.model.spec.size / crop.height))], owner)

    def _size(self, group: Group) -> tuple[int, int]:
        del group
        return self.model.spec.size, self.model.spec.size

    def _run(self, image: Array, hole: Array) -> Array:
        def reconstruct(shown: Array) -> Array:
            return self.model.named(image=shown, label=self._classes)["result"]

        *_, last = iterated(reconstruct, image, hole, self.iterations)
        return self._checked(last)


def iterated(reconstruct: Callable[[Array], Array], image: Array, hole: Array, iterations: int) -> Iterator[Array]:
    """The image after each round: in the hole what the network made of the round before, elsewhere the image.

    The hole begins as the mean of what is known of each image. What is known is taken over bit for bit and never
    blended: whatever the network makes outside of the hole, numbers or not, does not come into it.

    Args:
        reconstruct: images of the shape of ``image`` to the same.
        image: N x C x H x W; what lies in the hole is not looked at.
        hole: N x 1 x H x W, 1 = fill.
        iterations: how many rounds.
    """
    inside = hole > 0
    known = np.where(inside, np.float32(0), image)
    count = np.maximum((~inside).sum((2, 3), keepdims=True), 1)
    mean = known.sum((2, 3), keepdims=True) / count
    current = np.where(inside, mean.astype(image.dtype), image)
    for _ in range(iterations):
        current = np.where(inside, reconstruct(current), image)
        yield current


def _square(hole: Box, height: int, width: int) -> Box:
    """The largest square in an image that holds a box, nearest to the image's middle; else all of the image."""
    side = min(height, width)
    if max(hole.height, hole.width) > side:
        return Box(0, 0, height, width)
    top = _nearest((height - side) // 2, hole.bottom - side, hole.top)
    left = _nearest((width - side) // 2, hole.right - side, hole.left)
    return Box(top, left, top + side, left + side)


def _nearest(wanted: int, least: int, most: int) -> int:
    return max(least, min(wanted, most))
