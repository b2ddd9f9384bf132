from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from imgen.errors import ModelError, UsageError
from imgen.runtime import Model, load
from imgen.spec import Spec
from imgen_apps.inpainting import Inpainting

Array = npt.NDArray[np.float32]


class Painter(Model):
    """Puts one colour into the hole, and remembers what it saw."""

    def __init__(self, colour: tuple[float, float, float] = (0.25, 0.5, 0.75), **spec: Any) -> None:
        super().__init__(Spec("painter", "inpaint", "CC0-1.0", ("image", "mask"), multiple=16, **spec), "cpu", "numpy")
        self.colour = np.array(colour, np.float32).reshape(1, 3, 1, 1)
        self.seen: list[tuple[Array, Array]] = []

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        image, mask = inputs
        self.seen.append((image, mask))
        return image * (1 - mask) + self.colour * mask


def _photo(height: int, width: int, channels: int = 3, dtype: str = "uint8") -> npt.NDArray[Any]:
    noise = np.random.default_rng(0).random((height, width, channels))
    return (noise * np.iinfo(dtype).max).astype(dtype) if dtype.startswith("u") else noise.astype(dtype)


def _mask(height: int, width: int, *holes: tuple[int, int, int, int]) -> npt.NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    for top, left, bottom, right in holes:
        mask[top:bottom, left:right] = 255
    return mask


HOLES = {
    "small": (600, 800, (100, 100, 150, 170)),
    "at the corner": (600, 800, (0, 0, 40, 60)),
    "scaled": (1500, 1400, (300, 300, 1100, 1000)),
    "a wire": (200, 3000, (90, 0, 96, 3000)),
    "odd": (333, 217, (7, 11, 300, 200)),
    "a column": (5000, 1, (100, 0, 400, 1)),
}


@pytest.mark.parametrize("feather", [0, 5])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("name", HOLES)
def test_only_the_hole_changes_and_all_of_it(name: str, dtype: str, feather: int) -> None:
    height, width, hole = HOLES[name]
    photo, mask = _photo(height, width, 3, dtype), _mask(height, width, hole)
    before = photo.copy()
    painter = Painter((2.0, 2.0, 2.0))  # more than white: it is clipped
    assert Inpainting(painter).fill(photo, mask, feather=feather)
    np.testing.assert_array_equal(photo[mask == 0], before[mask == 0])
    full = np.iinfo(dtype).max if dtype.startswith("u") else 1
    if feather == 0:
        assert (photo[mask > 0] == full).all()
    else:
        assert (photo[mask > 0] == full).mean() > 0.1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_grey_and_alpha(channels: int) -> None:
    photo, mask = _photo(80, 90, channels), _mask(80, 90, (20, 20, 40, 50))
    before = photo.copy()
    Inpainting(Painter()).fill(photo, mask, feather=0)
    np.testing.assert_array_equal(photo[mask == 0], before[mask == 0])
    if channels in (2, 4):
        np.testing.assert_array_equal(photo[..., -1], before[..., -1])
    expected = [64, 128, 191] if channels > 2 else [round(255 * (0.299 * 0.25 + 0.587 * 0.5 + 0.114 * 0.75))]
    assert (photo[mask > 0][:, : len(expected)] == expected).all()


def test_what_is_fully_transparent_is_unknown_to_the_network() -> None:
    photo = _photo(64, 64, 4)
    photo[..., 3] = 255
    photo[:, 40:, 3] = 0
    before = photo.copy()
    painter = Painter()
    Inpainting(painter).fill(photo, _mask(64, 64, (10, 10, 20, 20)))
    image, hole = painter.seen[0]
    assert (hole[0, 0, :, 40:] == 1).all()
    assert (image[0, :, :, 40:] == 0).all()
    np.testing.assert_array_equal(photo[:, 40:], before[:, 40:])


def test_the_network_never_sees_the_hole() -> None:
    painter = Painter()
    Inpainting(painter).fill(_photo(100, 100), _mask(100, 100, (30, 30, 60, 60)))
    image, hole = painter.seen[0]
    assert (image * hole == 0).all()
    assert set(np.unique(hole)) == {0, 1}


def test_a_large_hole_is_scaled_only_as_far_as_the_tile_asks() -> None:
    painter = Painter()
    photo, mask = _photo(1500, 1500), _mask(1500, 1500, (500, 500, 1000, 1000))
    Inpainting(painter, tile=512).fill(photo.copy(), mask)
    assert painter.seen[0][0].shape == (1, 3, 512, 512)
    Inpainting(painter).fill(photo.copy(), mask)
    assert painter.seen[1][0].shape == (1, 3, 768, 768)
    Inpainting(painter, tile=2000).fill(photo.copy(), mask)
    assert max(painter.seen[2][0].shape) > 1400


def test_a_small_hole_in_a_large_image_costs_one_small_crop() -> None:
    painter = Painter()
    Inpainting(painter).fill(_photo(2000, 2000), _mask(2000, 2000, (1000, 1000, 1030, 1030)))
    assert [image.shape for image, _ in painter.seen] == [(1, 3, 256, 256)]


def test_a_scaled_fill_lies_where_it_belongs() -> None:
    """A ramp that the network returns as it saw it comes back at the right places, at the right values."""
    ramp = np.linspace(0, 1, 1600, dtype=np.float32)[None, :, None].repeat(1600, 0).repeat(3, 2)
    whole = ramp.copy()

    class Ramp(Painter):
        def _run(self, inputs: tuple[Array, ...]) -> Array:
            width = inputs[0].shape[3]
            return np.broadcast_to((np.arange(width, dtype=np.float32) + 0.5) / width, inputs[0].shape)

    Inpainting(Ramp()).fill(ramp, _mask(1600, 1600, (500, 500, 1100, 1100)))
    np.testing.assert_allclose(ramp, whole, atol=1e-3)


def test_feathering_takes_out_the_step_at_the_edge_and_leaves_the_middle() -> None:
    photo, mask = np.full((200, 200, 3), 100, np.uint8), _mask(200, 200, (50, 50, 150, 150))
    Inpainting(Painter((0.5, 0.5, 0.5))).fill(photo, mask, feather=8)
    assert abs(int(photo[50, 100, 0]) - 100) < 6
    assert photo[100, 100, 0] == 128
    assert (np.diff(photo[50:100, 100, 0].astype(int)) >= 0).all()


def test_feathering_never_shows_what_was_in_the_hole() -> None:
    mask = _mask(200, 200, (50, 50, 150, 150))
    results = []
    for content in (0, 255):
        photo = np.full((200, 200, 3), 100, np.uint8)
        photo[mask > 0] = content
        Inpainting(Painter()).fill(photo, mask, feather=8)
        results.append(photo)
    np.testing.assert_array_equal(*results)


def test_an_empty_mask_changes_nothing_and_asks_no_network() -> None:
    painter, photo = Painter(), _photo(50, 50)
    before = photo.copy()
    assert not Inpainting(painter).fill(photo, _mask(50, 50))
    np.testing.assert_array_equal(photo, before)
    assert painter.seen == []


def test_threads_may_share_one(inpaint_model: Path) -> None:
    fill = Inpainting(load(inpaint_model, device="cpu"))
    photos = [_photo(150 + 7 * i, 200) for i in range(12)]
    masks = [_mask(150 + 7 * i, 200, (20, 20, 60 + i, 80)) for i in range(12)]
    alone = [fill(photo, mask) for photo, mask in zip(photos, masks, strict=True)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(fill, photos, masks))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_of_another_task_is_refused(write_inpaint_model: Callable[..., Path], tmp_path: Path) -> None:
    model = load(write_inpaint_model(tmp_path / "other.onnx", task="upscale"), device="cpu")
    with pytest.raises(ModelError, match="'upscale', not for 'inpaint'"):
        Inpainting(model)


def test_values_that_are_no_numbers_are_refused() -> None:
    photo = _photo(64, 64)
    with pytest.raises(ModelError, match="no numbers"):
        Inpainting(Painter((float("nan"), 0, 0))).fill(photo, _mask(64, 64, (10, 10, 20, 20)))


@pytest.mark.parametrize("feather", [-1, 65])
def test_a_feather_out_of_range_is_refused(feather: int) -> None:
    with pytest.raises(UsageError, match=f"feather is {feather}"):
        Inpainting(Painter()).fill(_photo(9, 9), _mask(9, 9), feather=feather)


def test_a_tile_too_small_is_refused() -> None:
    with pytest.raises(UsageError, match="tile is 100"):
        Inpainting(Painter(), tile=100)
