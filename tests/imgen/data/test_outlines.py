import cv2
import numpy as np

from imgen.data.outlines import outlines


def test_lines_are_where_colours_meet_and_nowhere_else() -> None:
    image = np.full((96, 128, 3), (40, 90, 160), np.uint8)
    cv2.circle(image, (70, 50), 25, (220, 120, 40), -1)
    rows, columns = np.indices((96, 128))
    distance = np.abs(np.hypot(rows - 50, columns - 70) - 25)
    for seed in range(20):
        drawing = outlines(image, np.random.default_rng(seed))
        assert drawing.shape == (96, 128, 3)
        assert set(np.unique(drawing)) == {0, 255}
        lines = drawing[..., 0] == 0
        assert distance[lines].max() < 4
        angles = np.arctan2(rows - 50, columns - 70)[lines]
        assert len(np.unique(np.round(angles, 1))) > 60  # all around it


def test_artists_differ_and_each_is_sure() -> None:
    image = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8), (128, 96))
    shares = []
    for seed in range(20):
        drawing, again = (outlines(np.asarray(image, np.uint8), np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(drawing, again)
        shares.append((drawing == 0).mean())
    assert max(shares) > 2 * min(shares) > 0


def test_nothing_to_draw_leaves_the_paper_white() -> None:
    assert outlines(np.full((32, 32, 3), 90, np.uint8), np.random.default_rng(0)).min() == 255
