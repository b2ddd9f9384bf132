import numpy as np
import pytest

from imgen.data import masks


@pytest.mark.parametrize("kind", [*masks.KINDS, masks.mixed])
def test_masks_are_binary_seeded_and_differ(kind) -> None:  # type: ignore[no-untyped-def]
    first, again, other = (kind(np.random.default_rng(seed), 96, 128) for seed in (1, 1, 2))
    assert first.shape == (96, 128)
    assert first.dtype == np.float32
    assert set(np.unique(first)) <= {0, 1}
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_strokes_cover_what_was_asked() -> None:
    shares = [masks.strokes(np.random.default_rng(s), 256, 256, (0.2, 0.3)).mean() for s in range(30)]
    assert min(shares) >= 0.2
    assert max(shares) < 0.36  # one stroke more than 0.3 at most


def test_boxes_have_the_sides_asked_for() -> None:
    mask = masks.box(np.random.default_rng(0), 100, 200, (0.5, 0.5))
    rows, columns = mask.any(1).sum(), mask.any(0).sum()
    assert (rows, columns) == (50, 100)
    assert mask.sum() == rows * columns


def test_mixed_is_never_empty() -> None:
    assert all(masks.mixed(np.random.default_rng(s), 32, 32).any() for s in range(200))
