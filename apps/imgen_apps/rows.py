"""An image that comes in bands of rows and is read by windows that move down, so that none of it need be whole."""

from collections.abc import Callable, Iterator

import numpy as np

from imgen.runtime.model import Array


class Rows:
    """The rows of an image while they are made: read once, from the top, a little at a time.

    Args:
        bands: N x C x h x W arrays of any heights, together H rows; each is asked for when it is needed.
        shape: N, C, H, W of the whole.
    """

    def __init__(self, bands: Iterator[Array], shape: tuple[int, int, int, int]) -> None:
        self.shape = shape
        self._bands = bands
        self._kept: list[Array] = []
        self._top = self._bottom = 0  # of what is kept

    def map(self, change: Callable[[Array], Array]) -> "Rows":
        """The rows of another image of this shape: what ``change`` makes of each band. This one is read no more."""
        return Rows(map(change, self._bands), self.shape)

    def read(self, top: int, bottom: int) -> Array:
        """Rows ``top`` up to ``bottom``, N x C x (bottom - top) x W; those above ``top`` are forgotten for good."""
        if self._bottom < bottom:
            # Before more is made, and as a copy: a view of a few rows would keep a whole band in memory.
            self._kept = [part.copy() for part in self._parts(top, self._bottom)]
            self._top = min(top, self._bottom)
        while self._bottom < bottom:
            self._kept.append(next(self._bands))
            self._bottom += self._kept[-1].shape[2]
        parts = self._parts(top, bottom)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)

    def _parts(self, top: int, bottom: int) -> list[Array]:
        """What the bands that are kept have of these rows."""
        parts, at = [], self._top
        for band in self._kept:
            if at < bottom and at + band.shape[2] > top:
                parts.append(band[:, :, max(0, top - at) : bottom - at])
            at += band.shape[2]
        return parts
