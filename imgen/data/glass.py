"""What lies on a pane of glass before a scene: height fields, the defocus of the lens, the light of both together.

The lens is focused on the scene, so each pixel collects light that crossed the glass somewhere on a disc. The share
of the disc that is covered is the mask; what the cover sends to the camera takes the place of the scene there:
I = (1 - m) B + blur(c R), with B the scene, c the cover, R its light and m = blur(c) (Qian et al. 2018,
arXiv:1711.10098, eq. 1, in linear light, and with the mask soft as a lens makes it).
"""

from statistics import NormalDist
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]  # H x W
Light = NDArray[np.float32]  # H x W x 3, linear, 1 = white

VIEW = 480.0
"""Shorter side of a whole photo, in pixels, where nothing else is said; all sizes on the glass refer to it."""
_VISIBLE = 1 / 255  # a thinner cover changes nothing that is worth finding
_MOST = 500  # things drawn one by one, on a quarter of a view
_CELLS = 5  # along each side, crowded and empty ones
_SHARPEST = 3.0  # radius of the defocus in pixels of the glass: beyond that, the glass is drawn smaller


class Glass(NamedTuple):
    """A scene seen through glass with matter on it."""

    image: Pixels  # H x W x 3, RGB
    mask: Plane  # 0..1, the share of each pixel's light that comes from the matter; 0: the scene, to the bit


class Pane:
    """The glass before an image, drawn as small as its defocus allows.

    Args:
        image: the scene, H x W x 3 RGB.
        rng: where the randomness comes from.
        view: shorter side of the view that the image is a part of, in pixels.
        blur: radius of the defocus, in pixels of the image.
    """

    def __init__(self, image: Pixels, rng: np.random.Generator, view: float, blur: float) -> None:
        self.image, self.rng = image, rng
        reduction = max(1.0, blur / _SHARPEST)
        self.height, self.width = (max(2, round(n / reduction)) for n in image.shape[:2])
        # Numbers of Python's: those of NumPy would make fields of 64 bits.
        self.view = float(view) * self.height / image.shape[0]
        self.blur = float(blur) * self.height / image.shape[0]

    def scattered(self, size: float, spread: float, share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centres (N x 2, x and y) and radii (N) of discs that cover a share of the pane, some in crowds.

        Args:
            size: the middle one of the radii, in pixels of the pane.
            spread: deviation of their logarithms.
            share: 0..1, about.
        """
        rng, margin = self.rng, 2 * size
        width, height = self.width + 2 * margin, self.height + 2 * margin
        mean = np.pi * size**2 * np.exp(2 * spread**2)
        pixels = self.width * self.height
        most = min(pixels, round(_MOST * max(1, 4 * pixels / self.view**2)))
        count = min(most, rng.poisson(-np.log(1 - min(share, 0.95)) * width * height / mean))
        crowd = np.exp(rng.uniform(0, 1.2) * rng.standard_normal(_CELLS**2))
        row, column = np.divmod(rng.choice(_CELLS**2, count, p=crowd / crowd.sum()), _CELLS)
        place = (np.stack([column, row], 1) + rng.uniform(-0.2, 1.2, (count, 2))) / _CELLS
        radius = np.minimum(size * np.exp(rng.normal(0, spread, count)), self.view / 8)
        return place * (width, height) - margin, radius

    def noise(self, down: float, across: float | None = None) -> Plane:
        """Smooth, of mean 0 and deviation about 1; its wavelengths in pixels of the pane, ``across`` as ``down``."""
        rows, columns = max(2, round(self.height / down) + 1), max(2, round(self.width / (across or down)) + 1)
        coarse = self.rng.standard_normal((rows, columns), np.float32)
        return 1.25 * cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC)

    def caps(self, centres: NDArray[np.float64], radii: NDArray[np.float64]) -> Plane:
        """Height of a union of caps, melted together where they meet: above 0 inside, in pixels; steep 2 at the rim.

        Args:
            centres: N x 2, x and y in pixels of the pane.
            radii: N x 2, half axes along x and y.
        """
        field = np.full((self.height, self.width), -1e3, np.float32)
        columns, rows = np.arange(self.width, dtype=np.float32), np.arange(self.height, dtype=np.float32)
        first = np.maximum(np.floor(centres - 1.3 * radii), 0).astype(int)
        last = np.minimum(np.ceil(centres + 1.3 * radii) + 1, (self.width, self.height)).astype(int)
        seen = (first < last).all(1)
        boxes, shapes = np.hstack([first, last])[seen].tolist(), np.hstack([centres, radii])[seen].tolist()
        for (left, top, right, bottom), (x, y, across, down) in zip(boxes, shapes, strict=True):
            radius = (across * down) ** 0.5
            u, v = (columns[left:right] - x) / across, (rows[top:bottom] - y) / down
            _melt(field[top:bottom, left:right], (radius - radius * v * v)[:, None] - radius * u * u, 0.25 * radius)
        return np.maximum(field, -2)

    def mist(self, size: float, share: float) -> Plane:
        """Height of any number of specks of some radius, thicker here and thinner there: peaks of smoothed noise."""
        noise = self.rng.standard_normal((self.height, self.width), np.float32)
        blur = 0.6 * size
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), blur), np.float32) * np.float32(2 * np.pi**0.5 * blur)
        patchy = self.rng.uniform(0, 1.2)
        noise = noise + np.float32(patchy) * self.noise(self.view * self.rng.uniform(0.1, 0.5))
        return np.asarray(size * (noise - threshold(share, (1 + patchy**2) ** 0.5)), np.float32)

    def warped(self, field: Plane, wavelength: float, reach: float) -> Plane:
        """Bent out of shape by some pixels, so that no outline is a circle."""
        return self.sampled(field, reach * self.noise(wavelength), reach * self.noise(wavelength))

    def sampled(self, image: NDArray[np.float32], across: Plane, down: Plane, spread: int = 1) -> NDArray[np.float32]:
        """An image of any size spread over the pane and seen at so many pixels beside each; mirrored at its borders.

        It is ``spread`` times as wide and as high as the pane, which is before its middle.
        """
        rows, columns = np.indices((self.height, self.width)).astype(np.float32)
        beyond = np.float32(0.5 * (spread - 1))
        x = (columns + across + 0.5 + beyond * self.width) * np.float32(image.shape[1] / (spread * self.width)) - 0.5
        y = (rows + down + 0.5 + beyond * self.height) * np.float32(image.shape[0] / (spread * self.height)) - 0.5
        return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)

    def through(self, cover: Plane, light: Light, gamma: float = 2.2) -> Glass:
        """The image behind the pane.

        Args:
            cover: 0..1, H x W of the pane.
            light: what the matter sends to the camera.
            gamma: of the image's levels.
        """
        height, width = self.image.shape[:2]
        glass = _defocus(np.dstack([light * cover[..., None], cover]), self.blur)
        sheet = np.asarray(cv2.resize(glass, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        mask = np.clip(sheet[..., 3], 0, 1)
        mask[mask < _VISIBLE] = 0
        levels = linear(self.image, gamma) * (1 - mask)[..., None] + sheet[..., :3]
        seen = np.asarray(cv2.convertScaleAbs(cv2.pow(np.clip(levels, 0, 1), 1 / gamma), alpha=255), np.uint8)
        seen[mask == 0] = self.image[mask == 0]
        return Glass(seen, mask)


def linear(image: Pixels, gamma: float) -> Light:
    """The light of an image's levels."""
    return np.asarray(cv2.LUT(image, ((np.arange(256) / 255) ** gamma).astype(np.float32)), np.float32)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def threshold(share: float, deviation: float = 1.0) -> float:
    """What noise of mean 0 exceeds on a share of the area, of no more than 0.6."""
    return -NormalDist(0, deviation).inv_cdf(min(share, 0.6)) if share > 0 else np.inf


def edge(field: Plane) -> Plane:
    """0..1, where a height field is above the glass; the rim is one pixel wide."""
    return np.clip(0.5 + 0.5 * field, 0, 1)


def _melt(part: Plane, height: Plane, width: float) -> None:
    """The smooth maximum of two heights, in place: they are joined by a fillet of the given width."""
    join = np.abs(part - height)
    np.subtract(width, join, out=join)
    np.maximum(join, 0, out=join)
    np.maximum(part, height, out=part)
    part += join * join * np.float32(0.25 / width)


def _defocus(image: Light, radius: float) -> Light:
    """Averaged over a disc, as a wide open lens does it."""
    if radius < 0.3:
        return image
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT), np.float32)
