"""Mixing images as light mixes: in linear intensities, of which sRGB values are roughly the square root.

Half of a mixture of red and green is then as bright as the mean of both, where halves of sRGB values are darker, and
its hue lies on the straight line between them. Reference: IEC 61966-2-1:1999.
"""

import numpy as np

from imgen.runtime.model import Array


def mixed(first: Array, second: Array, share: float) -> Array:
    """(1 - share) of the first and share of the second, sRGB in 0..1 of any shape; exact at both ends."""
    if share in (0, 1):
        return second if share else first
    return encoded((1 - share) * linear(first) + share * linear(second))


def linear(values: Array) -> Array:
    """Intensities of sRGB values, both 0..1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encoded(intensities: Array) -> Array:
    """sRGB values of intensities, both 0..1."""
    high = 1.055 * np.maximum(intensities, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(intensities <= 0.0031308, 12.92 * intensities, high).astype(np.float32)
