from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from imgen.errors import ImageError
from imgen.training.loader import Loader

CPU = torch.device("cpu")


class Pair(NamedTuple):
    image: Tensor
    number: Tensor


class Numbered:
    def batch(self, index: int) -> Pair:
        if index == 7:
            raise ImageError("7.png: cannot be read")
        return Pair(torch.full((2, 3, 4, 4), float(index)), torch.tensor([index, index]))


@pytest.mark.parametrize("workers", [0, 2])
def test_the_order_does_not_depend_on_who_makes_the_batches(workers: int) -> None:
    loader = Loader(Numbered(), 3, workers, CPU)
    batches = [next(loader) for _ in range(4)]
    assert [int(batch.number[0]) for batch in batches] == [3, 4, 5, 6]
    assert loader.number == 7  # whatever has been made ahead
    assert type(batches[0]) is Pair
    assert batches[0].image.is_contiguous(memory_format=torch.channels_last)
    with pytest.raises(ImageError, match=r"^7\.png: cannot be read$"):
        next(loader)
    loader.close()


def test_the_global_random_numbers_are_left_alone() -> None:
    before = torch.get_rng_state()
    next(Loader(Numbered(), 0, 0, CPU))
    assert torch.equal(torch.get_rng_state(), before)
