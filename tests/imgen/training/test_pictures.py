from types import SimpleNamespace

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.errors import UsageError
from imgen.training.pictures import BINS, COLUMNS, ROWS, grid

IMAGES = Batch(torch.full((4, 3, 8, 8), -1.0), torch.zeros(4, dtype=torch.int64), torch.arange(4))
POINTS = Batch(torch.tensor([[2.0, 2.0], [-2.0, 0.0]]), torch.zeros(2, dtype=torch.int64), torch.arange(2))


def engine(sample=None, reconstruct=None):
    def refuse(*_: object) -> Tensor:
        raise UsageError("not here")

    return SimpleNamespace(device="cpu", sample=sample or refuse, reconstruct=reconstruct or refuse)


def test_samples_and_reconstructions_are_rows_of_one_grid() -> None:
    both = engine(lambda n, label: torch.zeros(n, 3, 8, 8), lambda x, label: torch.ones_like(x))
    assert grid(both, IMAGES, 0).shape == (3, (ROWS + 2) * 10 + 2, COLUMNS * 10 + 2)
    assert grid(engine(lambda n, label: torch.zeros(n, 3, 8, 8)), IMAGES, 0).shape == (
        3,
        ROWS * 10 + 2,
        COLUMNS * 10 + 2,
    )
    assert grid(engine(reconstruct=lambda x, label: torch.ones_like(x)), IMAGES, 0).shape == (3, 22, COLUMNS * 10 + 2)
    assert grid(engine(), IMAGES, 0) is None


def test_a_column_is_a_class() -> None:
    seen = []
    grid(engine(lambda n, label: seen.append(label) or torch.zeros(n, 3, 8, 8)), IMAGES, 10)
    assert seen[0].view(ROWS, 10).tolist() == [list(range(10))] * ROWS


def test_points_are_shown_as_densities_side_by_side() -> None:
    picture = grid(engine(lambda n, label: torch.zeros(n, 2)), POINTS, 0)
    assert picture.shape == (1, BINS, 2 * BINS)
    data, made = picture.split(BINS, 2)
    assert (data > 0).sum() == 2
    row, column = (data[0] > 0).nonzero()[0].tolist()
    assert row < BINS / 2 < column  # up is up: (2, 2) lies top right
    assert made[0, BINS // 2 - 1, BINS // 2] == 1
