import numpy as np
import pytest

from imgen.data.order import order, share
from imgen.errors import UsageError


def test_every_epoch_is_another_permutation() -> None:
    epochs = order(0, 50, 0, 150).reshape(3, 50)
    assert (np.sort(epochs) == np.arange(50)).all()
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_any_stretch_is_a_part_of_the_whole() -> None:
    whole = order(7, 10, 0, 100)
    for start, stop in ((0, 3), (8, 12), (9, 47), (90, 100)):
        assert (order(7, 10, start, stop) == whole[start:stop]).all()


def test_another_seed_gives_another_order() -> None:
    assert (order(0, 50, 0, 50) != order(1, 50, 0, 50)).any()


def test_the_shares_make_up_the_batch() -> None:
    rows = list(range(12))
    assert [row for rank in range(3) for row in rows[share(12, rank, 3)]] == rows


@pytest.mark.parametrize(("batch", "world"), [(10, 4), (0, 1), (2, 4)])
def test_refuses_a_batch_that_cannot_be_shared(batch: int, world: int) -> None:
    with pytest.raises(UsageError, match=f"batch of {batch}.*multiple of {world}"):
        share(batch, 0, world)
