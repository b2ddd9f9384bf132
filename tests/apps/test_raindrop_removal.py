"""The pipeline: what changes and what does not, at any size, depth and kind."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

import imgen
from imgen.errors import ModelError, UsageError
from imgen.image.file import read
from imgen.runtime import Model
from imgen.runtime.model import Array
from imgen.spec import Spec
from imgen_apps import raindrop_removal
from imgen_apps.raindrop_removal import RaindropRemoval

SPEC = Spec(
    "negative", "derain", "CC0-1.0", outputs=("result", "attention"), multiple=4, receptive_field="finite", radius=2
)


class Negative(Model):
    """The negative of the mean with the pixels 2 to the left and right; attention is how far red beats blue."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(replace(SPEC, **changes), "cpu", "numpy")
        self.seen: list[tuple[int, ...]] = []

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        (image,) = inputs
        self.seen.append(image.shape)
        width = image.shape[3]
        padded = np.pad(image, ((0, 0), (0, 0), (0, 0), (2, 2)), mode="edge")
        mixed = (padded[..., :width] + padded[..., 4:]) / 2
        return np.concatenate([1 - mixed, np.clip(mixed[:, :1] - mixed[:, 2:], 0, 1)], axis=1)


def _photo(dtype: str, channels: int = 3, *, height: int = 60, width: int = 84) -> npt.NDArray[Any]:
    """Grey noise with a drop, red where there are colours, in rows 20..39, columns 30..49."""
    noise = np.random.default_rng(0).random((height, width, 1)).repeat(4, 2) * 0.8
    noise[20:40, 30:50, :3] = (0.8, 0.3, 0.1)
    picture = noise[..., :channels] if channels > 2 else noise[..., 1 : 1 + channels]
    return (picture * np.iinfo(dtype).max).astype(dtype) if dtype.startswith("u") else picture.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("channels", [3, 4])
def test_only_the_drop_changes(dtype: str, channels: int) -> None:
    before = _photo(dtype, channels)
    if channels == 4:
        before[..., 3] = np.linspace(0.5, 1, before.shape[1]) * (before[..., 3].max() or 1)
    after = before.copy()
    changed, found = RaindropRemoval(Negative()).remove(after)
    assert changed
    clear = found == 0
    assert 0.7 < clear.mean() < 0.95
    np.testing.assert_array_equal(after[clear], before[clear])
    full = 1 if before.dtype.kind == "f" else np.iinfo(before.dtype).max
    np.testing.assert_allclose(after[22:38, 34:46, :3] / full, 1 - before[22:38, 34:46, :3] / full, atol=1 / 255)
    np.testing.assert_array_equal(after[..., 3:], before[..., 3:])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_grey(dtype: str, channels: int) -> None:
    before = _photo(dtype, channels)
    after = before.copy()
    assert not RaindropRemoval(Negative()).remove(after).found.any()  # nothing that is grey has more red than blue
    np.testing.assert_array_equal(after, before)
    RaindropRemoval(Negative()).remove(after, everywhere=True)
    assert after.dtype == before.dtype
    assert np.corrcoef(after[:, 2:-2, 0].ravel(), before[:, 2:-2, 0].ravel())[0, 1] < 0.05
    np.testing.assert_array_equal(after[..., 1:], before[..., 1:])


def test_strength() -> None:
    before = _photo("float32")
    full, half, none = before.copy(), before.copy(), before.copy()
    pipeline = RaindropRemoval(Negative())
    pipeline.remove(full)
    pipeline.remove(half, strength=0.5)
    changed, found = pipeline.remove(none, strength=0)
    assert (changed, bool(found.any())) == (False, True)
    np.testing.assert_array_equal(none, before)
    np.testing.assert_allclose(half - before, (full - before) / 2, atol=1e-6)


def test_everywhere() -> None:
    before = _photo("float32")
    after = before.copy()
    RaindropRemoval(Negative()).remove(after, everywhere=True)
    expected = 1 - (before[:, :-4] + before[:, 4:]) / 2
    np.testing.assert_allclose(after[:, 2:-2], expected, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 70), (333, 3), (61, 47)])
def test_any_size(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), (200, 100, 0), np.uint8)
    assert RaindropRemoval(Negative()).remove(image).changed
    assert np.abs(image - np.array([55.0, 155, 255])).max() <= 1


def test_a_large_photo_is_looked_at_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raindrop_removal, "VIEW", 40)
    before = np.full((120, 200, 3), 128, np.uint8) + np.random.default_rng(0).integers(0, 9, (120, 200, 1), np.uint8)
    before[40:80, 60:120] = (220, 100, 20)
    after, model = before.copy(), Negative()
    _, found = RaindropRemoval(model).remove(after)
    assert {shape[2:] for shape in model.seen} == {(40, 68)}
    np.testing.assert_array_equal(after[found == 0], before[found == 0])
    assert found[60, 90] > 180
    assert not found[:, :40].any()
    assert np.abs(after[55:65, 80:100] - np.array([35.0, 155, 235])).max() <= 2


def test_what_shines_through_a_veil_keeps_its_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raindrop_removal, "VIEW", 40)
    fine = np.where(np.arange(200) % 2, 0.05, -0.05).astype(np.float32)
    kept = {}
    for red in (0.6, 1.0):  # attention is 0.2 and 1
        image = np.full((120, 200, 3), (red, 0.5, 1 - red), np.float32)
        image[..., 1] += fine
        RaindropRemoval(Negative()).remove(image)
        kept[red] = image[..., 1].std() / fine.std()
    assert kept[0.6] > 0.9
    assert kept[1.0] < 0.1


@pytest.mark.parametrize("view", [50, 1080])
def test_neither_tiles_nor_writing_in_place_are_seen(monkeypatch: pytest.MonkeyPatch, view: int) -> None:
    monkeypatch.setattr(raindrop_removal, "VIEW", view)
    whole = np.random.default_rng(0).integers(0, 256, (700, 90, 3), np.uint8)
    tiled = whole.copy()
    model = Negative()
    first = RaindropRemoval(Negative()).remove(whole)
    second = RaindropRemoval(model, tile=32).remove(tiled)
    assert len(model.seen) > 10
    np.testing.assert_array_equal(tiled, whole)
    np.testing.assert_array_equal(second.found, first.found)


def test_files(derain_model: Path, tmp_path: Path) -> None:
    pixels = _photo("uint8")
    PIL.Image.fromarray(pixels).save(tmp_path / "photo.png")
    result = imgen.derain(tmp_path / "photo.png", attention=tmp_path / "drops.png", model=derain_model)
    assert result == tmp_path / "photo-derained.png"
    found = read(tmp_path / "drops.png").pixels[..., 0]
    after = read(result).pixels
    assert found[30, 40] > 50
    np.testing.assert_array_equal(after[found == 0], pixels[found == 0])
    np.testing.assert_array_equal(after[25:35, 35:45], 255 - pixels[25:35, 35:45])


def test_a_photo_without_drops_is_copied(derain_model: Path, tmp_path: Path) -> None:
    PIL.Image.fromarray(_photo("uint8", 1)[..., 0]).save(tmp_path / "dry.jpg", quality=60)
    imgen.derain(tmp_path / "dry.jpg", model=derain_model)
    assert (tmp_path / "dry-derained.jpg").read_bytes() == (tmp_path / "dry.jpg").read_bytes()


def test_what_is_refused(upscale_model: Path, derain_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a model for 'upscale', not for 'derain'"):
        RaindropRemoval(imgen.load_model(upscale_model))
    with pytest.raises(ModelError, match="negative does not say where the drops are"):
        RaindropRemoval(Negative(outputs=("result",)))
    with pytest.raises(UsageError, match="tile is 8, but must be at least 32 pixels, or 0"):
        RaindropRemoval(Negative(), tile=8)
    for strength in (-0.1, 1.5, float("nan")):
        with pytest.raises(UsageError, match=r"strength is .*, but it must be from 0"):
            imgen.derain(_photo("uint8"), strength=strength, model=derain_model)
    with pytest.raises(UsageError, match=r"imgen does not write \.xyz"):
        imgen.derain(_photo("uint8"), attention=tmp_path / "map.xyz", model=derain_model)
