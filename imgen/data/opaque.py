"""Photographs through a window with dirt or snow on it: matter that scatters light and hides the scene."""

import numpy as np
from numpy.typing import NDArray

from imgen.data.glass import VIEW, Glass, Light, Pane, Pixels, Plane, edge, linear, log_uniform, threshold

_GAMMA = 2.2


def dirt(image: Pixels, rng: np.random.Generator, *, density: float | None = None, view: float = VIEW) -> Glass:
    """Specks, dust and smears on the glass before an image: grey or brown, dark or light, out of focus.

    Args:
        image: H x W x 3, RGB; returned with the same shape.
        rng: decides all.
        density: share of the glass that is covered, 0..1, about; None: drawn.
        view: shorter side in pixels of the view that the image is a part of; the sizes follow it.
    """
    pane = Pane(image, rng, view, view * log_uniform(rng, 0.5 / 480, 20 / 480))
    share = log_uniform(rng, 0.04, 0.6) if density is None else density
    parts = rng.dirichlet(np.ones(3)) * share
    size = pane.view * log_uniform(rng, 1.5 / 480, 12 / 480)
    dust = edge(pane.mist(max(1.0, 0.3 * size), parts[0])) * rng.uniform(0.2, 0.8)
    specks = edge(_specks(pane, size, parts[1])) * rng.uniform(0.6, 1)
    smears = _smears(pane, parts[2]) * rng.uniform(0.3, 0.8)
    cover = 1 - (1 - dust) * (1 - specks) * (1 - smears)
    shade = log_uniform(rng, 0.05, 0.4) if rng.random() < 0.6 else rng.uniform(0.8, 2)  # against the light, or in it
    earth = shade * np.array([1, 1 - rng.uniform(0, 0.25), 1 - rng.uniform(0, 0.45)])
    return pane.through(cover.astype(np.float32), _lit(pane, earth), _GAMMA)


def snow(image: Pixels, rng: np.random.Generator, *, density: float | None = None, view: float = VIEW) -> Glass:
    """Snowflakes on the glass before an image: white, soft, ragged, half melted; takes what ``dirt`` takes."""
    pane = Pane(image, rng, view, view * log_uniform(rng, 0.5 / 480, 14 / 480))
    share = log_uniform(rng, 0.04, 0.6) if density is None else density
    size = pane.view * log_uniform(rng, 2.5 / 480, 16 / 480)
    field = _specks(pane, size, share)
    thick = 1 - np.exp(-np.maximum(field, 0) * np.float32(rng.uniform(3, 12) / size))  # thin at the rim
    cover = np.where(share > 0, thick * (0.85 + 0.1 * pane.noise(max(2.0, 0.5 * size))), 0)
    white = rng.uniform(1.5, 4) * np.array([1 - rng.uniform(0, 0.06), 1, 1 + rng.uniform(0, 0.06)])
    return pane.through(np.clip(cover, 0, 1).astype(np.float32), _lit(pane, white), _GAMMA)


def _specks(pane: Pane, size: float, share: float) -> Plane:
    """Height of ragged clumps: each a few caps side by side."""
    centre, radius = pane.scattered(size, pane.rng.uniform(0.3, 0.7), share)
    clump = pane.rng.integers(2, 6, len(radius))
    radius, centre = np.repeat(radius, clump), np.repeat(centre, clump, axis=0)
    centre = centre + radius[:, None] * pane.rng.normal(0, 0.5, centre.shape)
    axes = radius[:, None] * pane.rng.uniform(0.4, 0.9, centre.shape)
    return pane.warped(pane.caps(centre, axes), max(1.5, 0.7 * size), 0.2 * size)


def _smears(pane: Pane, share: float) -> Plane:
    """0..1, bent streaks, as a cloth or a wiper leaves them."""
    rng = pane.rng
    width = pane.view * log_uniform(rng, 2 / 480, 12 / 480)
    ways = (width, width * rng.uniform(15, 40))
    streaks = pane.noise(*(ways if rng.random() < 0.5 else ways[::-1]))
    streaks = pane.warped(streaks, pane.view / 2, pane.view * rng.uniform(0, 0.15))
    return np.clip(streaks - threshold(share), 0, 1)


def _lit(pane: Pane, colour: NDArray[np.float64]) -> Light:
    """Matter of some colour in the light of the scene, which falls on it from all sides."""
    ambient = linear(pane.image, _GAMMA).mean((0, 1))
    shade = 1 + 0.15 * pane.noise(pane.view / 4)
    return np.asarray(shade[..., None] * (colour * (0.5 * ambient + 0.5 * ambient.mean() + 0.05)), np.float32)
