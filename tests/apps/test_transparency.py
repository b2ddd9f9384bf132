"""Colours where nothing is visible, and alpha."""

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import pytest

import imgen
from imgen.image.pixels import Pixels
from imgen.runtime.model import Array
from imgen_apps.super_resolution import SuperResolution
from imgen_apps.transparency import bleed, clamped, divided, multiplied
from tests.apps.upscalers import Blur


def _disc(dtype: npt.DTypeLike, channels: int) -> Pixels:
    """A soft disc of one colour, black where it is not."""
    y, x = np.mgrid[:600, :80] - np.array([300, 40])[:, None, None]
    alpha = np.clip(30.5 - np.hypot(x, y), 0, 1)
    image = np.where(alpha[..., None] > 0, [0.8, 0.6, 0.2, 1][-channels:], 0)
    image[..., -1] *= alpha
    if np.dtype(dtype).kind == "f":
        return image.astype(dtype)
    return np.rint(image * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [2, 4])
def test_visible_colours_spread(dtype: npt.DTypeLike, channels: int) -> None:
    image = _disc(dtype, channels)
    colours = bleed(image)
    assert (colours.shape, colours.dtype) == ((600, 80, channels - 1), image.dtype)
    visible = image[..., -1] > 0
    np.testing.assert_array_equal(colours[visible], image[visible][:, :-1])
    near = cv2.dilate(visible.astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    assert np.abs(colours[near] / colours[300, 40].astype(float) - 1).max() < 1e-6
    assert not colours[:200].any()  # too far for any network


def test_the_strips_it_works_in_are_not_seen() -> None:
    image = np.random.default_rng(0).integers(0, 256, (700, 50, 4), np.uint8)
    image[np.random.default_rng(1).random((700, 50)) < 0.999, 3] = 0
    whole = bleed(image)
    for top in (100, 240, 300):
        np.testing.assert_array_equal(bleed(image[top : top + 300])[40:-40], whole[top + 40 : top + 260])


def test_alpha_keeps_within_what_is_around_it() -> None:
    source = np.zeros((40, 50, 4), np.uint8)
    source[10:30, 10:40, 3] = 255
    wild = np.random.default_rng(0).random((80, 100), np.float32)
    tamed = np.concatenate([clamped(wild[top : top + 16], source, (80, 100), top) for top in range(0, 80, 16)])
    inside, outside = np.zeros((80, 100), bool), np.ones((80, 100), bool)
    inside[22:58, 22:78], outside[18:62, 18:82] = True, False
    assert (tamed[inside] == 1).all()
    assert (tamed[outside] == 0).all()
    border = ~(inside | outside)
    np.testing.assert_array_equal(tamed[border], wild[border])


def test_multiplied_and_back() -> None:
    planes = np.random.default_rng(0).random((2, 3, 5, 7), np.float32)
    planes[1, :, 2] = 0
    back = divided(multiplied(planes))
    np.testing.assert_array_equal(back[1], planes[1])
    np.testing.assert_allclose(back[0, :, [0, 1, 3, 4]], planes[0, :, [0, 1, 3, 4]], rtol=1e-5)
    assert not back[0, :, 2].any()


@pytest.mark.parametrize("size", [(1200, 160), (1000, 133), (2400, 320), (450, 60)])
def test_no_fringe_around_one_colour(size: tuple[int, int]) -> None:
    result = SuperResolution(Blur(), tile=64).upscale(_disc(np.uint8, 4), size)
    visible = result[result[..., 3] > 2]
    np.testing.assert_allclose(visible[:, :3].astype(int), np.tile([204, 153, 51], (len(visible), 1)), atol=2)
    assert {0, 255} < set(np.unique(result[..., 3]))


def _logo(side: int) -> Array:
    """Letters and rings with colours that change, with edges of several softnesses; side x side x 4, 0..1."""
    drawn = PIL.Image.new("L", (4 * side, 4 * side))
    draw = PIL.ImageDraw.Draw(drawn)
    draw.ellipse([0.3 * side, 0.3 * side, 2.4 * side, 2.4 * side], outline=255, width=side // 2)
    draw.polygon([(2.2 * side, 2 * side), (3.8 * side, 3.6 * side), (2 * side, 3.8 * side)], fill=255)
    draw.text((0.2 * side, 2.7 * side), "imgen", fill=255, font=PIL.ImageFont.load_default(0.6 * side))
    sharp = np.asarray(drawn.reduce(4), np.float32) / 255
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    alpha = np.where(x > 0.55, cv2.GaussianBlur(sharp, (0, 0), side / 64), sharp)
    return np.dstack([0.9 - 0.6 * x, 0.2 + 0.6 * y, 0.5 + 0.4 * np.sin(9 * x) * np.cos(7 * y), alpha])


def _resized(pixels: Array, side: int) -> Array:
    planes = pixels.transpose(2, 0, 1)
    resized = [np.asarray(PIL.Image.fromarray(p).resize((side, side), PIL.Image.Resampling.BICUBIC)) for p in planes]
    return np.clip(np.stack(resized, axis=2), 0, 1)


def _over(pixels: Array, background: float) -> Array:
    return pixels[..., :3] * pixels[..., 3:] + background * (1 - pixels[..., 3:])


def test_a_logo_over_black_and_over_white() -> None:
    truth = _logo(256)
    small = _resized(np.dstack([_over(truth, 0), truth[..., 3]]), 64)  # multiplied with alpha, as it should be
    colours = np.where(small[..., 3:] > 0, small[..., :3] / np.maximum(small[..., 3:], 1e-6), 0)
    logo = np.rint(255 * np.dstack([colours.clip(0, 1), small[..., 3]])).astype(np.uint8)
    bicubic = _resized((logo / 255).astype(np.float32), 256)
    result = imgen.upscale(logo, model="upscale-x4", device="cpu") / 255
    for background in (0, 1):
        wanted = _over(truth, background)
        error, bar = (((_over(image, background) - wanted) ** 2).mean() for image in (result, bicubic))
        assert error < bar, background
