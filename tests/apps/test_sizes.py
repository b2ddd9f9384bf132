import math

import pytest

from imgen.errors import ImageError, UsageError
from imgen_apps.sizes import Enlargement


@pytest.mark.parametrize(
    ("scale", "target", "size"),
    [
        (None, None, (120, 160)),
        (3.5, None, (105, 140)),
        (0.01, None, (1, 1)),
        (16, None, (480, 640)),
        (None, "400x", (300, 400)),
        (None, "x300", (300, 400)),
        (None, "400x999", (300, 400)),
        (None, "999x300", (300, 400)),
        (None, "7x", (5, 7)),
        (None, "641x", None),
    ],
)
def test_sizes_of_an_image_of_40_x_30(scale, target, size):
    wanted = Enlargement(scale, target)
    if size is None:
        with pytest.raises(ImageError, match=r"40 x 30 pixels would become 16.02 times"):
            wanted.size(30, 40)
    else:
        assert wanted.size(30, 40) == size


@pytest.mark.parametrize("scale", [0, -1, 16.1, 1000, math.nan, math.inf])
def test_scales_that_are_refused(scale):
    with pytest.raises(UsageError, match="scale is"):
        Enlargement(scale)


@pytest.mark.parametrize("target", ["", "x", "4000", "0x", "x0", "-4x", "4000x3000x", "4k x", "1e3x", "٤x"])
def test_targets_that_are_refused(target):
    with pytest.raises(UsageError, match="is no size; write 4000x"):
        Enlargement(target=target)


def test_a_scale_and_a_target_contradict():
    with pytest.raises(UsageError, match="give one of them"):
        Enlargement(2, "400x")
