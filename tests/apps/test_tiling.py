"""Tiles that nobody can see."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imgen
from imgen.errors import ImageError, ModelError
from imgen.runtime import Model
from imgen.runtime.model import Array
from imgen_apps import tiling
from imgen_apps.tiling import Axis, bands, cut
from tests.apps.upscalers import Blur, rows, write_convolutions


def _image(height: int, width: int, count: int = 1) -> Array:
    return np.random.default_rng(height * width).random((count, 3, height, width), np.float32)


def _tiled(model: Model, image: Array, **options: Any) -> Array:
    return np.concatenate(list(bands(model, rows(image), **options)), axis=2)


@given(
    length=st.integers(1, 700),
    core=st.integers(32, 300),
    radius=st.integers(0, 40),
    multiple=st.sampled_from([1, 4, 8]),
)
def test_windows(length: int, core: int, radius: int, multiple: int) -> None:
    axis = Axis.cut(length, core, radius, multiple)
    windows = axis.windows()
    assert [window.begin for window in windows] == [0, *(window.end for window in windows[:-1])]
    assert windows[-1].end == length
    assert len({window.stop - window.start for window in windows}) == 1
    for window in windows:
        assert window.start % multiple == window.stop % multiple == 0
        assert window.start == 0 or window.begin - window.start >= radius
        assert window.stop >= length or window.stop - window.end >= radius
        assert window.stop - window.start <= core + multiple + 2 * (radius + multiple)


def test_tiled_equals_untiled_to_the_bit(tmp_path: Path) -> None:
    model = imgen.load_model(write_convolutions(tmp_path / "random.onnx"), device="cpu")
    rng = np.random.default_rng(1)
    for _ in range(10):
        image = _image(*rng.integers(20, 200, 2))
        np.testing.assert_array_equal(_tiled(model, image, tile=int(rng.integers(32, 90))), model(image))


def test_half_the_radius_would_be_seen(tmp_path: Path) -> None:
    model = imgen.load_model(write_convolutions(tmp_path / "random.onnx", depth=4), device="cpu")
    image, whole = _image(150, 130), model(_image(150, 130))
    model.spec = replace(model.spec, radius=2)
    assert np.abs(_tiled(model, image, tile=40) - whole).max() > 1e-3


@pytest.mark.parametrize("name", ["upscale-x2", "upscale-photo-x4"])
def test_the_built_in_networks_in_tiles(name: str) -> None:
    model = imgen.load_model(name, device="cpu")
    image = _image(75, 110)
    np.testing.assert_array_equal(_tiled(model, image, tile=40), model(image))


def test_a_network_that_takes_multiples_only() -> None:
    image = _image(61, 83)
    padded = np.pad(image, ((0, 0), (0, 0), (0, 3), (0, 5)), mode="symmetric")
    expected = Blur()(padded)[:, :, :122, :166]
    np.testing.assert_array_equal(_tiled(Blur(multiple=8), image, tile=32), expected)


def test_several_windows_at_once_on_a_gpu() -> None:
    model = Blur(device="cuda:0")
    image = _image(100, 300, count=2)
    np.testing.assert_array_equal(_tiled(model, image, tile=50), Blur()(image))
    assert {shape[0] for shape in model.seen} == {4}
    assert len({shape[3] for shape in model.seen}) == 1


def test_smaller_tiles_when_memory_is_short() -> None:
    model, image = Blur(limit=70 * 70), _image(150, 210)
    np.testing.assert_array_equal(_tiled(model, image, tile=128), Blur()(image))
    with pytest.raises(ImageError, match=r"210 x 150 pixels are too many for blur: not even tiles of 32"):
        _tiled(Blur(limit=100), image)


def test_in_the_middle_of_an_image_too() -> None:
    model, image = Blur(), _image(200, 90)
    made = bands(model, rows(image), tile=64)
    parts = [next(made)]
    model.limit = 50 * 50
    np.testing.assert_array_equal(np.concatenate([*parts, *made], axis=2), Blur()(image))


def test_no_numbers() -> None:
    image = _image(40, 40)
    image[0, 1, 30, 30] = np.nan
    with pytest.raises(ModelError, match="blur gave values that are no numbers; try --device cpu or another model"):
        _tiled(Blur(), image)


def test_a_network_that_looks_at_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    model, image = Blur(receptive_field="global", radius=0), _image(300, 400)
    monkeypatch.setattr(tiling, "available", lambda: 1 << 40)
    _tiled(model, image)
    assert model.seen == [(1, 3, 300, 400)]
    monkeypatch.setattr(tiling, "available", lambda: 1 << 26)
    with pytest.raises(ImageError, match=r"400 x 300 pixels are too many for blur: the network looks at all .* --tile"):
        _tiled(model, image)
    np.testing.assert_array_equal(_tiled(model, image, tile=64), Blur()(image))


def test_memory_decides_the_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    image = _image(300, 300)
    sides = []
    for free in (1 << 34, 1 << 28, 1 << 20):
        model = Blur()
        monkeypatch.setattr(tiling, "available", lambda free=free: free)
        _tiled(model, image)
        sides.append(max(model.seen)[2])
    assert sides[0] > sides[1] > sides[2] > 20


def test_bands_of_wide_images_are_bounded() -> None:
    model = Blur(scale=4)
    for width in (1000, 6000, 20000, 65000):
        down, across = cut(model, 8000, width, 256)
        high, wide = (axis.windows()[1].end - axis.windows()[1].begin for axis in (down, across))
        assert high * 4 * width * 4 * 12 < 280e6 or high <= 32
        assert 0.7 * 256**2 < high * wide <= 1.01 * 256**2
