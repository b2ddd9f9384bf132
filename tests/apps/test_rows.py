"""An image that is read while it is made."""

from collections.abc import Iterator

import numpy as np

from imgen.runtime.model import Array
from imgen_apps.rows import Rows

IMAGE = np.random.default_rng(0).random((2, 3, 50, 4), np.float32)


def test_windows_that_move_down() -> None:
    asked: list[int] = []

    def bands() -> Iterator[Array]:
        for top in range(0, 50, 8):
            asked.append(top)
            yield IMAGE[:, :, top : top + 8]

    image = Rows(bands(), IMAGE.shape)
    for top, bottom in ((0, 3), (0, 20), (5, 20), (11, 33), (32, 50), (49, 50)):
        np.testing.assert_array_equal(image.read(top, bottom), IMAGE[:, :, top:bottom])
        assert asked[-1] <= bottom - 1 < asked[-1] + 8  # nothing before it is needed


def test_changed_band_by_band() -> None:
    halves = Rows(iter([IMAGE]), IMAGE.shape).map(lambda band: band / 2)
    np.testing.assert_array_equal(halves.read(3, 40), IMAGE[:, :, 3:40] / 2)
    assert halves.shape == IMAGE.shape
