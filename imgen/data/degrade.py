"""Worse images from good ones: smaller by bicubic, as benchmarks have it, and as cameras, editors and web sites do it.

Reference for these: Wang et al. 2021, "Real-ESRGAN", arXiv:2107.10833, sec. 3: blur, resize, noise and
JPEG, twice over. The ranges are narrower here, since most photos are better than its worst.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

_METHODS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


def bicubic(image: Pixels, scale: int) -> Pixels:
    """Made smaller by a whole factor, antialiased (a = -1/2, as MATLAB's imresize): H x W x 3, 8 bit."""
    height, width = image.shape[0] // scale, image.shape[1] // scale
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def real_world(image: Pixels, scale: int, rng: np.random.Generator) -> Pixels:
    """Made smaller by a whole factor, with what happens to photos on the way: H x W x 3, 8 bit.

    A JPEG at the end comes in two of three, since most photos are one.
    """
    height, width = image.shape[0] // scale, image.shape[1] // scale
    now = image.astype(np.float32)
    if rng.random() < 0.7:
        now = _blur(now, rng, 0.2 * scale)
    between = np.exp(rng.uniform(np.log(0.9 / scale), np.log(1.1)))  # in one go, or partly now and partly later
    now = _resize(now, (round(image.shape[0] * between), round(image.shape[1] * between)), rng)
    if rng.random() < 0.4:
        now = _noise(now, rng, 8)
    if rng.random() < 0.3:
        now = _jpeg(now, rng, 55, 95)
    if rng.random() < 0.25:
        now = _blur(now, rng, 0.35)
    now = _resize(now, (height, width), rng)
    if rng.random() < 0.4:
        now = _noise(now, rng, 6)
    if rng.random() < 0.65:
        now = _jpeg(now, rng, 40, 96)
    return np.clip(np.rint(now), 0, 255).astype(np.uint8)


def camera(image: Pixels, rng: np.random.Generator) -> Pixels:
    """With what a camera adds to what its lens sees: sharpening, noise and JPEG, each by chance: H x W x 3, 8 bit.

    Two views by generators of one seed get the same, to the noise of each pixel.
    """
    now = image.astype(np.float32)
    if rng.random() < 0.4:
        soft = cv2.GaussianBlur(now, (0, 0), rng.uniform(0.5, 1.5))
        now = now + np.float32(rng.uniform(0.2, 1)) * (now - soft)
    if rng.random() < 0.6:
        now = _noise(now, rng, 5)
    if rng.random() < 0.5:
        now = _jpeg(now, rng, 75, 97)
    return np.clip(np.rint(now), 0, 255).astype(np.uint8)


def _blur(image: NDArray[np.float32], rng: np.random.Generator, least: float) -> NDArray[np.float32]:
    """By a Gaussian, round or drawn out in some direction, of ``least`` to four times that in pixels."""
    across, along = least * np.exp(rng.uniform(0, np.log(4), 2))
    if rng.random() < 0.5:
        along = across
    reach = int(np.ceil(3 * max(across, along)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    angle = rng.uniform(0, np.pi)
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    kernel = np.exp(-((u / across) ** 2 + (v / along) ** 2) / 2)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), np.float32)


def _resize(image: NDArray[np.float32], size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """To height x width by a method drawn by lot; some of them alias, as many programs do."""
    method = int(rng.choice(_METHODS))
    return np.asarray(cv2.resize(image, size[::-1], interpolation=method), np.float32)


def _noise(image: NDArray[np.float32], rng: np.random.Generator, most: float) -> NDArray[np.float32]:
    """Gaussian of up to ``most`` levels, or of a sensor (its variance grows with the light); grey in two of five."""
    shape = (*image.shape[:2], 1) if rng.random() < 0.4 else image.shape
    noise = np.float32(rng.uniform(0.5, most)) * rng.standard_normal(shape, np.float32)
    if rng.random() < 0.4:
        light = image.mean(2, keepdims=True) if shape[2] == 1 else image
        noise *= np.sqrt(np.clip(light, 0, 255) / 128)
    return image + noise


def _jpeg(image: NDArray[np.float32], rng: np.random.Generator, worst: int, best: int) -> NDArray[np.float32]:
    levels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if rng.random() < 0.7 else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(worst, best + 1)), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, data = cv2.imencode(".jpg", levels[..., ::-1], options)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.float32)
