"""In what order data come up: epoch after epoch, each a permutation that follows from the seed."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from imgen.errors import UsageError


def order(seed: int, length: int, start: int, stop: int) -> NDArray[np.int64]:
    """Which data stand at the positions ``start`` to ``stop - 1`` of an endless row of epochs.

    A pure function, so a run needs to keep no more than a number; every datum comes up once an epoch, and a batch
    may reach from one epoch into the next.

    Args:
        seed: 0 or more; another seed gives another row.
        length: how many data there are.
        start: first position, counted from 0.
        stop: the position after the last.

    >>> sorted(order(0, 5, 0, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    parts = []
    while start < stop:
        epoch, offset = divmod(start, length)
        parts.append(_permutation(seed, epoch, length)[offset : offset + stop - start])
        start += len(parts[-1])
    return np.concatenate(parts)


def share(batch: int, rank: int, world: int) -> slice:
    """Which rows of a batch are those of one process.

    Args:
        batch: data in a step, of all processes together.
        rank: of this process, from 0.
        world: how many processes there are.

    Raises:
        UsageError: the batch cannot be shared equally.

    >>> share(6, 1, 2)
    slice(3, 6, None)
    """
    if batch < 1 or batch % world:
        raise UsageError(f"a batch of {batch} cannot be shared by {world} processes; take a multiple of {world}")
    rows = batch // world
    return slice(rank * rows, (rank + 1) * rows)


@lru_cache(maxsize=4)  # of a training and a test set, this epoch's and the next's
def _permutation(seed: int, epoch: int, length: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, epoch]).permutation(length)
