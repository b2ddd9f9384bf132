from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from imgen.errors import ModelError, UsageError
from imgen.runtime import Model
from imgen.spec import Spec
from imgen_apps.iterated_inpainting import IteratedInpainting, iterated

Array = npt.NDArray[np.float32]
Photo = npt.NDArray[Any]

NAMES = ("apple", "banana")
COLOURS = np.array([[0.8, 0.2, 0.1], [0.9, 0.8, 0.2]], np.float32)


class Fruit(Model):
    """Takes everything half way to the colour of its class, and remembers what it was shown."""

    def __init__(self, size: int = 16, outside: float = 0.0, **spec: Any) -> None:
        names = {"class_names": NAMES, "classes": 2, **spec}
        super().__init__(
            Spec("fruit", "reconstruct", "CC0-1.0", ("image", "label"), size=size, **names), "cpu", "numpy"
        )
        self.outside = outside  # added where nothing is to change
        self.seen: list[tuple[Array, Array]] = []

    def _run_named(self, inputs: tuple[Array, ...]) -> list[Array]:
        image, label = inputs
        self.seen.append(inputs)  # type: ignore[arg-type]
        made = (image + (label @ COLOURS)[:, :, None, None]) / 2
        made[:, :, 0] += self.outside
        return [made]


def _photo(height: int, width: int, channels: int = 3, dtype: str = "uint8") -> Photo:
    noise = np.random.default_rng(0).random((height, width, channels))
    return (noise * np.iinfo(dtype).max).astype(dtype) if dtype.startswith("u") else noise.astype(dtype)


def _mask(height: int, width: int, top: int, left: int, bottom: int, right: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


HOLES = {
    "the network's size": (16, 16, (4, 4, 9, 9)),
    "large": (300, 400, (100, 150, 180, 260)),
    "small": (9, 7, (2, 2, 5, 5)),
    "at the side": (40, 90, (0, 80, 40, 90)),
    "longer than the photo is high": (40, 90, (10, 5, 20, 85)),
    "a row": (1, 50, (0, 10, 1, 30)),
}


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("name", HOLES)
def test_only_the_hole_changes_and_takes_the_colour_of_its_class(name: str, dtype: str) -> None:
    height, width, hole = HOLES[name]
    photo, mask = _photo(height, width, 3, dtype), _mask(height, width, *hole)
    before, fruit = photo.copy(), Fruit()
    assert IteratedInpainting(fruit, "banana", iterations=10).fill(photo, mask, feather=0)
    np.testing.assert_array_equal(photo[mask == 0], before[mask == 0])
    full = np.iinfo(dtype).max if dtype.startswith("u") else 1
    # The colour to one part in 2 ** 10, but at the seam, where the photo is seen with other pixels than it has.
    np.testing.assert_allclose(np.median(photo[mask > 0] / full, 0), COLOURS[1], atol=0.01)
    assert len(fruit.seen) == 10
    assert {image.shape for image, _ in fruit.seen} == {(1, 3, 16, 16)}
    assert fruit.seen[0][1].tolist() == [[0, 1]]


class Planes(Fruit):
    """A linear auto-encoder: the plane through the brightness, by least squares."""

    def _run_named(self, inputs: tuple[Array, ...]) -> list[Array]:
        side = np.linspace(-1, 1, self.spec.size)
        across, down = np.meshgrid(side, side)
        basis, _ = np.linalg.qr(np.stack([np.ones_like(across), across, down]).reshape(3, -1).T)
        flat = inputs[0].reshape(3, -1)
        return [(flat @ basis @ basis.T).reshape(inputs[0].shape).astype(np.float32)]


@pytest.mark.parametrize("name", ["large", "small", "at the side", "longer than the photo is high"])
def test_the_fill_lands_where_it_belongs(name: str) -> None:
    """A photo that gets brighter evenly is filled with what was there, which nothing moved or squeezed would be."""
    height, width, hole = HOLES[name]
    down, across = np.mgrid[:height, :width] / (2 * max(height, width))
    whole = np.stack([across, down, across + down], 2).astype(np.float32)
    photo, mask = whole.copy(), _mask(height, width, *hole)
    photo[mask > 0] = 0.9
    assert IteratedInpainting(Planes(32), "apple", iterations=60).fill(photo, mask, feather=0)
    assert np.abs(photo - whole).max() < 0.005


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_grey_and_alpha(channels: int) -> None:
    photo, mask = _photo(40, 30, channels), _mask(40, 30, 10, 10, 20, 20)
    photo[0, 0, -1] = 255
    before = photo.copy()
    assert IteratedInpainting(Fruit(), "apple").fill(photo, mask, feather=0)
    np.testing.assert_array_equal(photo[mask == 0], before[mask == 0])
    if channels > 1:
        np.testing.assert_array_equal(photo[..., -1], before[..., -1])


def test_the_square_is_the_photo_s_middle_as_far_as_the_hole_lets_it() -> None:
    across = np.tile(np.arange(90, dtype=np.float32)[None, :, None] / 90, (30, 1, 3))
    for hole, left in (((10, 40, 20, 50), 30), ((10, 70, 20, 80), 50), ((10, 5, 20, 15), 5), ((10, 1, 20, 80), 0)):
        fruit = Fruit(size=32)
        photo = across.copy()
        IteratedInpainting(fruit, "apple", iterations=1).fill(photo, _mask(30, 90, *hole), feather=0)
        shown = fruit.seen[0][0][0, 0, 0]  # a row that is known
        assert shown[0] == pytest.approx(left / 90, abs=0.02)
        assert shown[-1] == pytest.approx((left + 29 if left else 89) / 90, abs=0.02)


def test_an_empty_mask_changes_nothing() -> None:
    photo, fruit = _photo(20, 20), Fruit()
    assert not IteratedInpainting(fruit, "apple").fill(photo, _mask(20, 20, 0, 0, 0, 0))
    assert fruit.seen == []
    np.testing.assert_array_equal(photo, _photo(20, 20))


def test_what_is_no_number_outside_of_the_hole_does_not_come_into_it() -> None:
    photo, mask = _photo(16, 16), _mask(16, 16, 5, 5, 9, 9)
    before = photo.copy()
    assert IteratedInpainting(Fruit(outside=np.nan), "apple").fill(photo, mask)
    np.testing.assert_array_equal(photo[mask == 0], before[mask == 0])
    with pytest.raises(ModelError, match="no numbers"):
        IteratedInpainting(Fruit(outside=np.nan), "apple").fill(photo, _mask(16, 16, 0, 5, 9, 9))


def test_what_is_wrong_with_the_class_or_the_model_is_said() -> None:
    with pytest.raises(UsageError, match="no class of fruit is called 'bananna'; did you mean 'banana'"):
        IteratedInpainting(Fruit(), "bananna")
    with pytest.raises(UsageError, match="at least once"):
        IteratedInpainting(Fruit(), "apple", iterations=0)
    unnamed = Fruit(class_names=(), classes=3)
    assert IteratedInpainting(unnamed, "2").settings() == {"class": "2", "iterations": 10}
    with pytest.raises(UsageError, match="no class of fruit is called '3'; there are: 0, 1, 2"):
        IteratedInpainting(unnamed, "3")
    painter = Fruit()
    painter.spec = Spec("painter", "inpaint", "CC0-1.0")
    with pytest.raises(ModelError, match="is a model for 'inpaint'"):
        IteratedInpainting(painter, "apple")


def _projection(rank: int, size: int) -> Array:
    """A linear auto-encoder: onto a random subspace."""
    basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((size, rank)))
    return (basis @ basis.T).astype(np.float32)


def test_known_pixels_stay_to_the_bit_and_without_a_hole_nothing_changes() -> None:
    image = np.random.default_rng(1).random((2, 3, 4, 4), np.float32)
    hole = np.zeros((2, 1, 4, 4), np.float32)

    def wild(shown: Array) -> Array:
        return np.full_like(shown, np.inf)

    for current in iterated(wild, image, hole, 10):
        np.testing.assert_array_equal(current, image)
    hole[:, :, 1:3, 1:3] = 1
    *_, last = iterated(wild, image, hole, 10)
    inside = np.broadcast_to(hole > 0, image.shape)
    np.testing.assert_array_equal(last[~inside], image[~inside])
    assert np.isinf(last[inside]).all()


def test_what_lies_in_the_hole_is_not_looked_at() -> None:
    image = np.random.default_rng(1).random((1, 1, 4, 4), np.float32)
    hole = np.zeros((1, 1, 4, 4), np.float32)
    hole[..., :2] = 1
    other = np.where(hole > 0, np.nan, image)
    first, second = (next(iterated(lambda x: x, each, hole, 1)) for each in (image, other))
    np.testing.assert_array_equal(first, second)
    assert first[..., :2] == pytest.approx(image[..., 2:].mean())


def test_a_linear_auto_encoder_comes_nearer_in_every_round() -> None:
    """The error in the hole is multiplied by the part of the projection that stays in the hole: it contracts."""
    projection = _projection(4, 36)
    inside = np.zeros(36, bool)
    inside[[14, 15, 20, 21]] = True
    image = (projection @ np.random.default_rng(1).standard_normal(36)).astype(np.float32).reshape(1, 1, 6, 6)
    hole = inside.astype(np.float32).reshape(1, 1, 6, 6)

    def reconstruct(shown: Array) -> Array:
        return (projection @ shown.ravel()).reshape(shown.shape)

    rounds = [*iterated(reconstruct, image, hole, 10)]
    errors = np.stack([(each - image).ravel()[inside] for each in rounds])
    factor = projection[np.ix_(inside, inside)]
    for before, after in pairwise(errors):
        np.testing.assert_allclose(after, factor @ before, atol=1e-5)
    sizes = np.linalg.norm(errors, axis=1)
    assert (sizes[1:] < sizes[:-1]).all()
    assert sizes[-1] < 0.2 * sizes[0]
    moves = np.linalg.norm(np.diff(np.stack(rounds).reshape(10, 36), axis=0), axis=1)
    assert (moves[1:] <= moves[:-1]).all()
