"""The door: what comes out is of the kind that went in."""

import inspect
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

import imgen
from imgen.errors import ImageError, ModelError, UnknownNameError, UsageError
from imgen.image.file import probe, read
from imgen_apps.inpainting import Inpainting
from imgen_apps.pipeline import edit

MASK = np.zeros((40, 60), bool)
MASK[10:20, 15:30] = True
RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def _equal_outside(result: npt.NDArray[Any], image: npt.NDArray[Any]) -> None:
    assert (result.shape, result.dtype) == (image.shape, image.dtype)
    np.testing.assert_array_equal(result[~MASK], image[~MASK])
    assert (result[MASK] != image[MASK]).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64, np.dtype(">u2")])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_arrays(inpaint_model: Path, dtype: Any, channels: int | None) -> None:
    shape = (40, 60) if channels is None else (40, 60, channels)
    image = np.random.default_rng(1).random(shape)
    image = (image * (1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max)).astype(dtype)
    before = image.copy()
    _equal_outside(imgen.inpaint(image, MASK, model=inpaint_model, device="cpu"), image)
    np.testing.assert_array_equal(image, before)


def test_a_view_is_not_written_to(inpaint_model: Path) -> None:
    image = RGB[:, ::-1]
    _equal_outside(imgen.inpaint(image, MASK, model=inpaint_model), image)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_pil_images(inpaint_model: Path, mode: str) -> None:
    deep = PIL.Image.fromarray(RGB[..., 0].astype(np.uint16) * 257)
    image = deep if mode == "I;16" else PIL.Image.fromarray(RGB).convert(mode)
    image.info["icc_profile"] = b"profile"
    result = imgen.inpaint(image, PIL.Image.fromarray(MASK), model=inpaint_model)
    assert (result.mode, result.info) == (mode, image.info)
    _equal_outside(np.asarray(result), np.asarray(image))


@pytest.mark.parametrize(("mode", "out"), [("1", "L"), ("P", "RGB"), ("CMYK", "RGB"), ("YCbCr", "RGB")])
def test_pil_modes_without_room_for_new_colours(inpaint_model: Path, mode: str, out: str) -> None:
    image = PIL.Image.fromarray(RGB).convert(mode)
    result = imgen.inpaint(image, MASK, model=inpaint_model)
    assert result.mode == out
    _equal_outside(np.asarray(result), np.asarray(image.convert(out)))


def test_bytes(inpaint_model: Path) -> None:
    stream = BytesIO()
    PIL.Image.fromarray(RGB).save(stream, "PNG")
    result = imgen.inpaint(stream.getvalue(), MASK, model=inpaint_model)
    assert isinstance(result, bytes)
    image = PIL.Image.open(BytesIO(result))
    assert image.format == "PNG"
    _equal_outside(np.asarray(image), RGB)


@pytest.mark.parametrize("kind", [str, Path])
def test_paths(inpaint_model: Path, tmp_path: Path, kind: type) -> None:
    PIL.Image.fromarray(RGB).save(tmp_path / "photo.png")
    before = (tmp_path / "photo.png").read_bytes()
    result = imgen.inpaint(kind(tmp_path / "photo.png"), MASK, model=inpaint_model)
    assert result == kind(tmp_path / "photo-inpainted.png")
    assert isinstance(result, kind)
    _equal_outside(read(result).pixels, RGB)
    assert (tmp_path / "photo.png").read_bytes() == before
    with pytest.raises(ImageError, match=r"photo-inpainted\.png: exists already"):
        imgen.inpaint(kind(tmp_path / "photo.png"), MASK, model=inpaint_model)
    other = imgen.inpaint(kind(tmp_path / "photo.png"), MASK, model=inpaint_model, output=tmp_path / "other.webp")
    assert probe(other).format == "WEBP"


def test_an_empty_mask_gives_the_same_file(inpaint_model: Path, tmp_path: Path) -> None:
    PIL.Image.fromarray(RGB).save(tmp_path / "photo.jpg")
    data = (tmp_path / "photo.jpg").read_bytes()
    nothing = np.zeros_like(MASK)
    with pytest.warns(UserWarning, match="empty"):
        result = imgen.inpaint(tmp_path / "photo.jpg", nothing, model=inpaint_model)
    assert result.read_bytes() == data
    with pytest.warns(UserWarning, match="empty"):
        assert imgen.inpaint(data, nothing, model=inpaint_model) == data


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
def test_every_frame_of_an_animation(inpaint_model: Path, format_: str) -> None:
    stream = BytesIO()
    frames = [PIL.Image.fromarray(np.roll(RGB, i, 1) // 64 * 64) for i in range(3)]
    frames[0].save(stream, format_, save_all=True, append_images=frames[1:], duration=70, loop=0, lossless=True)
    result = PIL.Image.open(BytesIO(imgen.inpaint(stream.getvalue(), MASK, model=inpaint_model)))
    assert (result.n_frames, result.format) == (3, format_)
    for index in range(3):
        result.seek(index)
        middle = np.asarray(result.convert("RGB"))[14:16, 19:26]
        assert len(np.unique(middle.reshape(-1, 3), axis=0)) == 1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "not NoneType"),
        (np.zeros((4, 4, 5), np.uint8), "4 x 4 x 5"),
        (np.zeros(4, np.uint8), "not 4"),
        (np.zeros((0, 4), np.uint8), "0 x 4"),
        (np.zeros((4, 4), np.int32), "int32"),
        (np.zeros((4, 4), bool), "bool"),
        (np.full((4, 4), 255.0), r"255\.\.255"),
        (np.full((4, 4), np.nan), "nan"),
        (PIL.Image.new("F", (4, 4)), "mode F"),
        (PIL.Image.new("I", (4, 4)), "mode I"),
    ],
)
def test_what_is_no_image(image: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        edit(image, lambda frames: True, name_suffix="")


def test_output_is_for_paths() -> None:
    with pytest.raises(UsageError, match="output= is for an image given by its path, not for ndarray"):
        edit(RGB, lambda frames: True, name_suffix="", output="out.png")


def test_models_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model is called 'nosuch'"):
        imgen.inpaint(RGB, MASK, model="nosuch")
    with pytest.raises(ModelError, match="no such model file"):
        imgen.inpaint(RGB, MASK, model=tmp_path / "no.onnx")
    with pytest.raises(UnknownNameError, match="did you mean 'cuda'"):
        imgen.inpaint(RGB, MASK, model=tmp_path / "no.onnx", device="cude")


def test_the_one_liner_has_the_defaults_of_the_pipeline() -> None:
    short = inspect.signature(imgen.inpaint).parameters
    for name, parameter in inspect.signature(Inpainting.__call__).parameters.items():
        assert name == "self" or short[name].default == parameter.default
