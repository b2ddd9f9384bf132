"""The pipeline: what goes in and what comes out, at any size, depth and kind, and how large photos are done."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageCms
import pytest

import imgen
from imgen.errors import ImageError, ModelError, UsageError
from imgen.image.file import read
from imgen_apps import translation
from imgen_apps.translation import Translation
from tests.apps.translators import Labelled, Negative, Normalising

PALETTE = ("255 0 0 road", "0 0 255 sky")


def photo(dtype: str = "uint8", channels: int = 3, *, height: int = 60, width: int = 84) -> npt.NDArray[Any]:
    """Smooth colours."""
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / (7 + k) + k) * np.cos(columns / (9 + 2 * k)) for k in range(4)]
    picture = (np.stack(waves, 2) / 2 + 0.5)[..., :channels]
    return (picture * np.iinfo(dtype).max).astype(dtype) if dtype.startswith("u") else picture.astype(dtype)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let networks look at so many pixels at once."""

    def limit(pixels: int) -> None:
        monkeypatch.setattr(Translation, "_most", lambda _: pixels)

    return limit


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_any_kind_becomes_an_image_in_colour_of_its_size_and_depth(dtype: str, channels: int) -> None:
    before = photo(dtype, channels)
    if channels in (2, 4):
        before[..., -1] = np.maximum(before[..., -1], 1)  # nowhere without a colour of its own
    after = Translation(Negative()).translate(before).pixels
    translucent = channels in (2, 4)
    assert (after.shape, after.dtype) == ((60, 84, 3 + translucent), before.dtype)
    full = 1 if before.dtype.kind == "f" else np.iinfo(before.dtype).max
    colours = before[..., :3] if channels > 2 else before[..., :1].repeat(3, 2)
    expected = 1 - (colours[:, :-4] / full + colours[:, 4:] / full) / 2
    np.testing.assert_allclose(after[:, 2:-2, :3] / full, expected, atol=1 / 255)
    if translucent:
        np.testing.assert_array_equal(after[..., 3], before[..., -1])


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (333, 3), (61, 47)])
def test_any_size(size: tuple[int, int]) -> None:
    model = Negative(receptive_field="normalised")
    result = Translation(model).translate(np.full((*size, 3), (200, 100, 0), np.uint8))
    assert (result.how, result.seen, result.pixels.shape) == ("whole", size, (*size, 3))
    assert np.abs(result.pixels - np.array([55.0, 155, 255])).max() <= 1
    assert all(side % 4 == 0 and side >= 8 for side in model.seen[0][2:])


def test_strength_mixes_light() -> None:
    red, translate = np.full((8, 8, 3), (1, 0, 0), np.float32), Translation(Negative()).translate
    half = translate(red, strength=0.5).pixels
    np.testing.assert_allclose(half, 0.7354, atol=1e-3)  # grey of half the light of red and cyan
    np.testing.assert_array_equal(translate(red).pixels, 1 - red)
    steps = [translate(red, strength=s).pixels[0, 0, 1] for s in (0.1, 0.3, 0.7, 0.9)]
    assert steps == sorted(steps)


@pytest.mark.parametrize("model", [Negative, Normalising])
def test_tiles_of_a_large_photo_are_not_seen(model: type[Negative] | type[Normalising], small: Callable) -> None:
    before = photo("float32", height=300, width=420)
    before[100:200, 200:] **= 3
    whole = Translation(model()).translate(before).pixels
    small(96 * 96)
    tiled = Translation(network := model()).translate(before)
    assert tiled.how == "tiles"
    assert len(network.seen) > 10
    assert max(shape[0] * shape[2] * shape[3] for shape in network.seen) <= 1.2 * 96 * 96
    assert np.abs(tiled.pixels - whole).mean() <= (1e-6 if model is Negative else 1 / 255)
    border = np.abs(np.diff(tiled.pixels - whole, axis=0)).mean((1, 2))  # a seam would be a step between two rows
    assert border.max() <= 0.2 / 255


def test_a_network_that_sees_everything_is_shown_a_reduced_photo(small: Callable) -> None:
    fine = np.where(np.arange(200) % 2, 0.05, -0.05)[:, None]
    before = (photo("float64", 1, height=150, width=200) * (0.6, 0.8, 0.7) + 0.1 + fine).astype(np.float32)
    small(60 * 80)
    model = Negative(receptive_field="global")
    pixels, how, seen = Translation(model).translate(before)
    assert (how, seen, [shape[2:] for shape in model.seen]) == ("reduced", (60, 80), [(60, 80)])
    expected = 1 - before
    assert np.abs(pixels - expected)[8:-8, 16:-16].mean() < 0.05
    detail = np.diff(pixels[8:-8, 16:-16], 2, axis=1)
    assert np.corrcoef(detail.ravel(), np.diff(expected[8:-8, 16:-16], 2, axis=1).ravel())[0, 1] > 0.9
    assert 0.6 < detail.std() / np.diff(expected[8:-8, 16:-16], 2, axis=1).std() < 1.2


def test_far_sighted_networks_are_not_tiled(small: Callable) -> None:
    small(96 * 96)
    assert Translation(Normalising(radius=30)).translate(photo(height=300, width=420)).how == "reduced"


def test_a_size_at_which_the_network_sees_it() -> None:
    model = Negative()
    result = Translation(model).translate(photo(height=60, width=90), size=45)
    assert (result.how, result.seen, result.pixels.shape) == ("reduced", (30, 45), (60, 90, 3))
    assert Translation(model).translate(photo(height=60, width=90), size=400).how == "whole"


def test_label_maps_in_colours_and_in_numbers() -> None:
    numbers = (np.add.outer(np.arange(40), np.arange(56)) > 50).astype(np.uint8)
    colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)[numbers]
    expected = np.stack([numbers == 0, numbers == 1, numbers == 1], 2) * np.uint8(255)
    pipeline = Translation(Labelled(palette=PALETTE))
    for pixels in (numbers[..., None], colours):
        made = pipeline.translate(pixels).pixels
        assert made.dtype == np.uint8
        np.testing.assert_array_equal(made, expected)
    numbers[3, 3] = numbers[9, 9] = 7
    with pytest.raises(ImageError, match=r"0\.1% of its pixels are of no class, such as the value 7"):
        pipeline.translate(numbers[..., None])


def test_boundaries_of_things(small: Callable) -> None:
    numbers = np.zeros((16, 16, 1), np.uint8)
    pipeline = Translation(Labelled(palette=PALETTE, boundaries=True))
    assert not pipeline.translate(numbers).pixels[..., 2].any()
    things = np.repeat([[1, 2]], 8, axis=1).repeat(16, axis=0)
    for pixels in (256, 64):
        small(pixels)
        blue = pipeline.translate(numbers, things=things).pixels[..., 2]
        assert np.flatnonzero(blue[8]).tolist() == [7, 8]


def test_styles_are_of_things_and_repeat() -> None:
    choices = (([0.1], [0.5], [0.9]), ([0.2],))
    model = Labelled(palette=PALETTE, boundaries=True, styles=choices)
    things = np.arange(8).repeat(4)[None].repeat(8, 0)
    labels = np.zeros((8, 32, 1), np.uint8)

    def blues(style: int) -> list[int]:
        return Translation(model).translate(labels, style=style, things=things).pixels[0, 1::4, 2].tolist()

    assert blues(0) == [26] * 8  # the commonest
    assert set(blues(1) + blues(2)) == {26, 128, 230}
    assert blues(1) == blues(1) != blues(2)


def test_noise_is_drawn_by_the_number_of_the_style() -> None:
    model = Negative(inputs=("image", "noise"), noise={"channels": 5, "stride": 2, "dropout": 0.5})
    dark = np.full((12, 16, 3), 255, np.uint8)
    first, again, other = (Translation(model).translate(dark, style=style).pixels for style in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert 16 <= first.min() == first.max() < 48  # it is 0 or 2, 1 on average
    assert (first != other).any()


def test_files_keep_what_they_hold(translate_model: Path, tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a street"
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    PIL.Image.fromarray(photo()).save(tmp_path / "photo.jpg", exif=exif, icc_profile=profile, dpi=(300, 300))
    result = imgen.translate(tmp_path / "photo.jpg", model=translate_model)
    assert result == tmp_path / "photo-translated.jpg"
    with PIL.Image.open(result) as image:
        assert (image.size, image.getexif()[0x010E], image.info["icc_profile"]) == ((60, 84), "a street", profile)
    assert imgen.translate(str(tmp_path / "photo.jpg"), model=translate_model, strength=0, output=tmp_path / "same.jpg")
    assert (tmp_path / "same.jpg").read_bytes() == (tmp_path / "photo.jpg").read_bytes()


def test_grey_becomes_coloured_in_every_kind(translate_model: Path, tmp_path: Path) -> None:
    grey = photo(channels=1)[..., 0]
    PIL.Image.fromarray(grey).save(tmp_path / "grey.jpg", icc_profile=b"of greys")
    with PIL.Image.open(imgen.translate(tmp_path / "grey.jpg", model=translate_model)) as image:
        assert (image.mode, image.info.get("icc_profile")) == ("RGB", None)
    assert imgen.translate(grey, model=translate_model).shape == (60, 84, 3)
    deep = PIL.Image.fromarray(photo("uint16", 1)[..., 0])
    assert imgen.translate(deep, model=translate_model).mode == "RGB"
    stream = io.BytesIO()
    PIL.Image.fromarray(photo("uint16", 1)[..., 0]).save(stream, "PNG")
    assert read(imgen.translate(stream.getvalue(), model=translate_model)).pixels.dtype == np.uint16


def test_what_is_refused(upscale_model: Path, translate_model: Path) -> None:
    with pytest.raises(ModelError, match="a model for 'upscale', not for 'translate'"):
        imgen.translate(photo(), model=upscale_model)
    for words, said in (
        ({"strength": 1.5}, r"strength is 1.5, but it must be from 0"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"size": 3}, "size is 3, but tiny-translate sees at least 8 pixels"),
        ({"style": -1}, "style is -1"),
        ({"style": 2}, "tiny-translate makes one result of an image; leave styles out"),
    ):
        with pytest.raises(UsageError, match=said):
            imgen.translate(photo(), model=translate_model, **words)
    with pytest.raises(UsageError, match="stub takes label maps, whose numbers or colours are whole"):
        Translation(Labelled(palette=PALETTE)).translate(photo("float32"))
    with pytest.raises(UsageError, match="photos do not mix with the label maps that stub takes"):
        Translation(Labelled(palette=PALETTE)).translate(np.zeros((8, 8, 1), np.uint8), strength=0.5)


def test_too_little_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object, __: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Negative, "_run", fail)
    with pytest.raises(ImageError, match="84 x 60 pixels are too many for stub: memory does not suffice"):
        Translation(Negative()).translate(photo())


def test_the_budget_holds_for_wide_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "available", lambda: None)
    narrow, wide = (Translation(Negative(config={"width": width}))._most() for width in (16, 64))
    assert narrow // 4 == wide
    assert wide * 64 * 24 < translation.BUDGET
    monkeypatch.setattr(translation, "available", lambda: 1 << 20)
    assert Translation(Negative())._most() == 32 * 32
