"""The pipeline: any kind, depth, size and scale."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import imgen
from imgen.errors import ImageError, ModelError, UsageError
from imgen.image.file import read
from imgen_apps import super_resolution
from imgen_apps.sizes import Enlargement
from imgen_apps.super_resolution import SuperResolution, enlarge, names_for, pipelines
from tests.apps.upscalers import Blur

SMOOTH = np.add.outer(np.linspace(0.1, 0.5, 60), np.linspace(0, 0.4, 44))[..., None]


def _image(dtype: Any, channels: int) -> Any:
    """Colours that change slowly, alpha too."""
    image = np.concatenate([SMOOTH * level for level in (1, 0.9, 0.8, 1)[:channels]], axis=2)
    return (image * (1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_depth_and_channels_stay(dtype: Any, channels: int) -> None:
    image = _image(dtype, channels)
    result = SuperResolution(Blur()).upscale(image, (150, 110))
    assert (result.shape, result.dtype) == ((150, 110, channels), image.dtype)
    full = 1 if result.dtype.kind == "f" else np.iinfo(dtype).max
    expected = _image(np.float64, channels)[np.ix_(np.arange(150) * 60 // 150, np.arange(110) * 44 // 110)]
    assert np.abs(result / full - expected).max() < 0.02


def test_16_bits_are_16_bits() -> None:
    result = SuperResolution(Blur()).upscale(_image(np.uint16, 3))
    exact = SuperResolution(Blur()).upscale(_image(np.uint16, 3) / np.float32(65535))
    assert np.abs(result / 65535 - exact).max() < 0.51 / 65535
    assert (result % 257 != 0).any()


def test_opaque_alpha_stays_opaque_and_costs_nothing() -> None:
    image = _image(np.uint8, 4)
    image[..., 3] = 255
    model = Blur()
    result = SuperResolution(model).upscale(image)
    assert (result[..., 3] == 255).all()
    assert {shape[0] for shape in model.seen} == {1}
    np.testing.assert_array_equal(result[..., :3], SuperResolution(Blur()).upscale(image[..., :3].copy()))


@pytest.mark.parametrize(("scale", "passes"), [(0.3, 0), (1, 0), (1.01, 1), (2, 1), (3, 2), (4, 2), (7.7, 3), (16, 4)])
def test_any_scale(scale: float, passes: int) -> None:
    image, model = _image(np.float32, 3), Blur()
    size = Enlargement(scale).size(60, 44)
    result = SuperResolution(model).upscale(image, size)
    assert result.shape == (*size, 3)
    assert abs(result.mean() - image.mean()) < 2e-3
    assert len({shape[2:] for shape in model.seen}) == passes
    assert max((shape[2] for shape in model.seen), default=0) <= max(60, -(-size[0] // 2))


@pytest.mark.parametrize("size", [(240, 176), (210, 154), (420, 308)])
def test_neither_bands_nor_tiles_are_seen(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 44, 4), np.uint8)
    pipeline = SuperResolution(Blur(), tile=32)
    np.testing.assert_array_equal(np.concatenate(list(pipeline.bands(image, size))), pipeline.upscale(image, size))
    np.testing.assert_array_equal(pipeline.upscale(image, size), SuperResolution(Blur(), tile=100).upscale(image, size))


def test_bands_come_while_the_rest_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(super_resolution, "_BAND_BYTES", 1 << 18)
    model = Blur()
    bands = SuperResolution(model, tile=64).bands(np.zeros((600, 500, 3), np.uint8))
    assert next(bands).nbytes < 3 << 18
    assert sum(shape[2] * shape[3] for shape in model.seen) < 0.5 * 600 * 500


@pytest.mark.parametrize("tile", [None, 0, 32])
def test_tiles(tile: int | None) -> None:
    assert SuperResolution(Blur(), tile=tile).tile == (tile or None)


def test_what_is_refused(inpaint_model: Path) -> None:
    with pytest.raises(UsageError, match="tile is 8, but must be at least 32 pixels, or 0"):
        SuperResolution(Blur(), tile=8)
    with pytest.raises(ModelError, match="a model for 'inpaint', not for 'upscale'"):
        SuperResolution(imgen.load_model(inpaint_model))
    with pytest.raises(ModelError, match="blur says that it enlarges 1 times"):
        SuperResolution(Blur(scale=1))
    with pytest.raises(UsageError, match=r"fidelity is 1\.5"):
        pipelines(fidelity=1.5)


@pytest.mark.parametrize(
    ("scale", "fidelity", "names"),
    [
        (0.5, 0, ["photo-x2"]),
        (2, 0, ["photo-x2"]),
        (2.1, 0, ["photo-x4"]),
        (3, 0.5, ["photo-x4", "x4"]),
        (1.5, 0.5, ["photo-x2", "x2"]),
        (2, 1, ["x2"]),
        (3, 1, ["x3"]),
        (3.5, 1, ["x4"]),
    ],
)
def test_the_model_for_a_scale(scale: float, fidelity: float, names: list[str]) -> None:
    assert names_for(scale, fidelity) == tuple(f"upscale-{name}" for name in names)


def test_each_model_is_opened_once() -> None:
    pipeline_for = pipelines(device="cpu", tile=64)
    assert pipeline_for(4) is pipeline_for(3.3)
    assert pipeline_for(4).model.spec.name == "upscale-photo-x4"
    assert pipeline_for(2).model.spec.scale == 2


def test_a_mixture() -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    mixed, photo, faithful = (imgen.upscale(image, scale=2, fidelity=f, device="cpu") for f in (0.5, 0, 1))
    assert mixed.shape == (48, 40, 3)
    assert imgen.upscale(image, scale=2, model="upscale-x2", device="cpu").tolist() == faithful.tolist()
    assert photo.shape == faithful.shape


def test_files(upscale_model: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    pixels = _image(np.uint8, 3)
    PIL.Image.fromarray(pixels).save(photo)
    result = imgen.upscale(photo, scale=2, model=upscale_model)
    assert result == tmp_path / "photo-x2.png"
    np.testing.assert_array_equal(read(result).pixels, pixels.repeat(2, 0).repeat(2, 1))
    assert imgen.upscale(str(photo), target="30x", model=upscale_model) == str(tmp_path / "photo-30x.png")
    assert read(tmp_path / "photo-30x.png").pixels.shape == (41, 30, 3)


def test_every_frame(upscale_model: Path) -> None:
    frames = [PIL.Image.new("RGBA", (20, 12), (250, 10, 10, 0)) for _ in range(2)]
    frames[1].paste((0, 200, 0, 255), (3, 3, 9, 11))
    stream = BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=70, loop=0, disposal=2)
    result = PIL.Image.open(BytesIO(imgen.upscale(stream.getvalue(), scale=3, model=upscale_model)))
    assert (result.size, result.n_frames, result.info["duration"]) == ((60, 36), 2, 70)


def test_a_picture(upscale_model: Path) -> None:
    result = imgen.upscale(PIL.Image.fromarray(_image(np.uint8, 1)[..., 0]), scale=1.5, model=upscale_model)
    assert (result.mode, result.size) == ("L", (66, 90))


def test_what_the_format_cannot_hold_is_said_before_any_work(tmp_path: Path) -> None:
    def unwanted(scale: float) -> SuperResolution:
        raise AssertionError(scale)

    PIL.Image.new("RGB", (17000, 1)).save(tmp_path / "long.png")
    with pytest.raises(ImageError, match="68000 x 4 is too large for JPEG"):
        enlarge(tmp_path / "long.png", unwanted, Enlargement(4), output=tmp_path / "long.jpg")
    PIL.Image.new("RGBA", (17, 1)).save(tmp_path / "clear.png")
    with pytest.raises(ImageError, match="transparency, which JPEG cannot hold"):
        enlarge(tmp_path / "clear.png", unwanted, Enlargement(4), output=tmp_path / "clear.jpg")
