"""Photographs through a wet window: drops that show the scene upside down, out of focus, with exact masks.

A drop is a height field. The ray through it is bent by its slope, so that it shows a wide part of the scene, upside
down and much smaller; its rim is darker, and its bottom, which shows the sky, brighter. Everything is a function of
the image and the random generator.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from imgen.data.glass import VIEW, Glass, Light, Pane, Pixels, Plane, edge, linear, log_uniform
from imgen.data.opaque import dirt, snow

SOAKED = (0.1, 0.85)
"""Share of a pane that is covered by drops that run into each other."""


def drops(
    image: Pixels,
    rng: np.random.Generator,
    *,
    density: float | None = None,
    view: float = VIEW,
    sharp: float = 0.4,
    soaked: float = 0.0,
    around: Pixels | None = None,
    cold: float = 0.0,
    dull: float = 0.0,
) -> Glass:
    """Raindrops on the glass before an image: mist to large, single, merged and running ones.

    Args:
        image: H x W x 3, RGB; returned with the same shape.
        rng: decides all.
        density: share of the glass that is covered, 0..1, about; None: drawn between almost nothing and more than half.
        view: shorter side in pixels of the view that the image is a part of; the sizes of drops follow it.
        sharp: the chance that the glass is about in focus.
        soaked: the chance that drops out of focus run into each other, as a veil over much of the view; not with a
            density.
        around: three times as wide and as high, with the image in its middle, of any size: where the light of the drops
            comes from. None: from the image, mirrored at its borders.
        cold: by how much at most their light is bluer than where it comes from, for the sky is in it, 0..1.
        dull: the chance that they send no light but what they refract, and so are little brighter than the scene.
    """
    if rng.random() < sharp:  # a lens or glass close to what is sharp
        size, blur = view * log_uniform(rng, 2 / 480, 24 / 480), view * log_uniform(rng, 0.4 / 480, 6 / 480)
    else:  # each drop a disc of light, the more opaque the larger it is
        blur = view * rng.uniform(4 / 480, 26 / 480)
        size = blur * log_uniform(rng, 0.4, 1.5)
        if soaked and density is None and rng.random() < soaked:  # unasked it draws nothing: test sets stay the same
            density = rng.uniform(*SOAKED)
    # What is sharp hides all that is behind it: much of that leaves little to see.
    share = log_uniform(rng, 0.04, 0.6 if blur > size else 0.35) if density is None else density
    pane = Pane(image, rng, view, blur)
    size = float(size * (pane.view / view))
    tiny = size < max(0.5, pane.view / 160)  # too many to be drawn one by one
    misty = 1.0 if tiny else rng.random() if rng.random() < 0.25 else 0.0  # how much of the cover is mist
    field = _single(pane, size, share * (1 - misty))
    if misty:
        grain = size if tiny else size * rng.uniform(0.1, 0.5)
        field = np.maximum(field, pane.mist(max(1.0, grain), share * misty))
    gamma = rng.uniform(1.4, 2.4)
    scene, spread = (image, 1) if around is None else (around, 3)
    faint = bool(dull) and rng.random() < dull  # unasked it draws nothing, either
    light = _refracted(pane, field, linear(scene, gamma), spread, faint)
    if cold:
        light *= 1 + np.float32(rng.uniform(0, cold)) * np.array([-1, 0, 1], np.float32)
    return pane.through(edge(field), light, gamma)


def _single(pane: Pane, size: float, share: float) -> Plane:
    """Drops drawn one by one, until they cover a share of the pane."""
    rng = pane.rng
    centre, radius = pane.scattered(size, rng.uniform(0.2, 0.8), share)
    count = len(radius)
    stretch = np.exp(rng.normal(0.05, 0.12, count))
    axes = radius[:, None] * np.stack([1 / stretch, stretch], 1)
    parts = [(centre, axes), *_lobes(rng, centre, axes), *_tracks(rng, centre, axes)]
    centres, radii = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return pane.warped(pane.caps(centres, radii), max(2.0, 3 * size), 0.15 * size)


Caps = tuple[NDArray[np.float64], NDArray[np.float64]]  # centres and half axes, each N x 2


def _lobes(rng: np.random.Generator, centre: NDArray[np.float64], axes: NDArray[np.float64]) -> list[Caps]:
    """Smaller drops that have run into some of them."""
    count = rng.integers(0, len(centre) + 1)
    at = rng.integers(0, max(1, len(centre)), count)
    angle = rng.uniform(0, 2 * np.pi, count)
    away = np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.5, 1.1, (count, 1))
    return [(centre[at] + axes[at] * away, axes[at] * rng.uniform(0.4, 0.8, (count, 1)))]


def _tracks(rng: np.random.Generator, centre: NDArray[np.float64], axes: NDArray[np.float64]) -> list[Caps]:
    """Trails of beads above a few drops that have run down."""
    tracks: list[Caps] = []
    if rng.random() < 0.3:
        for at in rng.integers(0, max(1, len(centre)), min(len(centre), int(rng.integers(1, 5)))):
            radius = float(axes[at, 0])
            count = rng.integers(6, 24)
            up = np.cumsum(rng.uniform(0.35, 0.9, count)) * radius
            aside = np.cumsum(rng.normal(0, 0.1, count)) * radius
            width = radius * np.linspace(0.7, 0.2, count) * rng.uniform(0.7, 1.1, count)
            tracks.append((centre[at] + np.stack([aside, -up], 1), width[:, None] * (1, 1.3)))
    return tracks


def _refracted(pane: Pane, field: Plane, scene: Light, spread: int, dull: bool) -> Light:
    """What the camera sees through the slopes of a height field of the scene, ``spread`` times as wide as the pane.

    Dull: the light of the scene alone, without that of the sky and without what is mirrored.
    """
    rng = pane.rng
    u = cv2.Sobel(field, cv2.CV_32F, 1, 0, scale=1 / 16)  # of length 1 at a drop's rim, towards its middle
    v = cv2.Sobel(field, cv2.CV_32F, 0, 1, scale=1 / 16)
    square = np.minimum(u * u + v * v, 1)
    far = log_uniform(rng, 0.04, 0.5) * pane.view  # a film of water bends little, a bead much
    bend = (far / np.sqrt(rng.uniform(1.03, 1.5) - square)).astype(np.float32)  # a sphere is steeper at its rim
    across, down = bend * u, bend * v
    grain = max(1.0, pane.view / 96)  # a drop shows the scene many times smaller
    size = (max(2, round(spread * pane.width / grain)), max(2, round(spread * pane.height / grain)))
    small = cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    light = pane.sampled(np.asarray(small, np.float32), across, down, spread)
    high = np.clip(-down / np.float32(0.5 * pane.view), -1, 1)  # how far above the drop its light comes from
    gain = np.exp(rng.normal(-0.2 if dull else 0.2, 0.35) + rng.uniform(-0.2, 1.2) * high)
    gain *= 1 - np.float32(rng.uniform(0, 0.8)) * square * square
    light = np.asarray(light * gain[..., None], np.float32)
    if dull:
        return light
    sky = rng.uniform(0.2, 1.2) * np.clip(1 + rng.normal(0, 0.06) * np.array([-1, 0, 1]), 0, 2)
    glow = rng.uniform(0, 0.35) * (1 + high)
    if rng.random() < 0.4:  # a lamp or the sun, mirrored where the slope is right
        angle, off = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.9)
        spot = (u - off * np.cos(angle)) ** 2 + (v - off * np.sin(angle)) ** 2
        glow = glow + rng.uniform(0.3, 2) * np.exp(-spot / rng.uniform(0.05, 0.2) ** 2)
    return np.asarray(light + glow[..., None] * sky, np.float32)


KINDS = {"drops": drops, "dirt": dirt, "snow": snow}
"""Name to what may lie on a window."""
