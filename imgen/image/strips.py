"""An image that comes in bands of rows, cut into the strips that a file holds, which are encoded in threads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from imgen.image.pixels import Pixels

_WORKERS = 4

T = TypeVar("T")


@dataclass(frozen=True)
class Layout:
    """What bands make together."""

    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]

    @property
    def row_bytes(self) -> int:
        """Of one row of pixels."""
        return self.width * self.channels * self.dtype.itemsize

    def rows_within(self, size: int) -> int:
        """How many rows make at most ``size`` bytes; one at least."""
        return max(1, size // self.row_bytes)


def layout_of(pixels: Pixels) -> Layout:
    """Of an image that is there as a whole."""
    height, width, channels = pixels.shape
    return Layout(height, width, channels, pixels.dtype)


def encoded(bands: Iterable[Pixels], layout: Layout, rows: int, encode: Callable[[Pixels], T]) -> Iterator[T]:
    """``encode`` of each strip of ``rows`` rows (the last has what is left), in order.

    The strips of one band are encoded in threads while the next band is made by the caller's. So there are
    never more than two bands in memory, and no band may be changed once it was given.
    """
    pool = ThreadPoolExecutor(_WORKERS, "encode")
    waiting: list[Future[T]] = []
    try:
        for strips in chain(_cut(bands, layout, rows), [()]):  # nothing more: the last band's are still waiting
            started = [pool.submit(encode, strip) for strip in strips]
            yield from (future.result() for future in waiting)
            waiting = started
    finally:
        pool.shutdown(cancel_futures=True)


def _cut(bands: Iterable[Pixels], layout: Layout, rows: int) -> Iterator[Sequence[Pixels]]:
    """Of each band the strips that it completes, and at the end what is left."""
    rest = np.empty((0, layout.width, layout.channels), layout.dtype)
    for band in bands:
        start = -len(rest) % rows  # what the strip begun in the band before still needs
        rest = np.concatenate([rest, band[:start]])
        if len(rest) % rows:  # a band of so few rows that it completes nothing
            continue
        end = start + (len(band) - start) // rows * rows
        strips = [band[top : top + rows] for top in range(start, end, rows)]
        yield [rest, *strips] if len(rest) else strips
        rest = band[end:].copy()  # not a view, which would keep the band
    yield [rest] if len(rest) else []
