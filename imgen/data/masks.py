"""Random holes to learn and to measure with: strokes, boxes and object-like shapes, all seeded."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.float32]  # H x W, 1 = fill


def strokes(rng: np.random.Generator, height: int, width: int, area: tuple[float, float] = (0.05, 0.4)) -> Mask:
    """Free-form brush strokes (Yu et al. 2019, arXiv:1806.03589, alg. 1) until a share of the image is covered.

    Args:
        rng: where the randomness comes from.
        height: of the mask, in pixels.
        width: of the mask, in pixels.
        area: the share to cover is drawn uniformly from this range; the last stroke may overshoot it
            by its own area.
    """
    goal = rng.uniform(*area) * height * width
    size = min(height, width)
    mask = np.zeros((height, width), np.uint8)
    while cv2.countNonZero(mask) < goal:
        thickness = int(max(3, size * rng.uniform(0.02, 0.12)))
        point = rng.uniform(0, [width, height])
        angle = rng.uniform(0, 2 * np.pi)
        for _ in range(rng.integers(2, 7)):
            angle += rng.uniform(-1.2, 1.2)
            step = size * rng.uniform(0.05, 0.25)
            after = np.clip(point + step * np.array([np.cos(angle), np.sin(angle)]), 0, [width - 1, height - 1])
            cv2.line(mask, _pixel(point), _pixel(after), 1, thickness)
            cv2.circle(mask, _pixel(after), thickness // 2, 1, -1)
            point = after
            if cv2.countNonZero(mask) >= goal:
                break
    return mask.astype(np.float32)


def box(rng: np.random.Generator, height: int, width: int, side: tuple[float, float] = (0.2, 0.5)) -> Mask:
    """One rectangle; each side is a share of the image's, drawn uniformly from a range."""
    rows, columns = (max(1, int(n * rng.uniform(*side))) for n in (height, width))
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    mask = np.zeros((height, width), np.float32)
    mask[top : top + rows, left : left + columns] = 1
    return mask


def blob(rng: np.random.Generator, height: int, width: int, radius: tuple[float, float] = (0.1, 0.28)) -> Mask:
    """One to three closed shapes with a smooth random outline: what a person or a thing leaves.

    The outline's distance from its centre is a random Fourier series of the angle; its mean is a
    share of the image's shorter side drawn uniformly from ``radius``.
    """
    mask = np.zeros((height, width), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    count = rng.integers(1, 4)
    for _ in range(count):
        mean = rng.uniform(*radius) * min(height, width) / np.sqrt(count)
        outline = np.ones_like(angles)
        for frequency in range(1, 6):
            outline += rng.normal(0, 0.3 / frequency) * np.cos(frequency * angles + rng.uniform(0, 2 * np.pi))
        outline = mean * np.clip(outline, 0.2, 2.5)
        stretch = np.exp(rng.normal(0, 0.35))
        turn = rng.uniform(0, np.pi)
        x, y = outline * np.cos(angles) * stretch, outline * np.sin(angles) / stretch
        centre = rng.uniform(0.1, 0.9, 2) * (width, height)
        points = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], 1) + centre
        cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
    return mask.astype(np.float32)


KINDS = (strokes, box, blob)


def mixed(rng: np.random.Generator, height: int, width: int) -> Mask:
    """A hole of a random kind, never empty: half strokes, a fifth boxes, the rest blobs."""
    kind = KINDS[rng.choice(3, p=(0.5, 0.2, 0.3))]
    mask = kind(rng, height, width)
    return mask if mask.any() else box(rng, height, width)


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return int(point[0]), int(point[1])
