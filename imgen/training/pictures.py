"""What an engine makes, as one picture."""

from contextlib import suppress

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.engine import Engine
from imgen.errors import UsageError

COLUMNS = 8
ROWS = 6
POINTS = 8192
BINS = 128  # a side, of the picture of a density


@torch.no_grad()
def grid(engine: Engine, shown: Batch, classes: int) -> Tensor | None:
    """New images, then some of the set above what the method makes of them.

    A column a class, where there are classes and they fit. Points of the plane become two pictures of
    their density: those of the set, those of the engine.

    Args:
        engine: what to look at.
        shown: some of the set.
        classes: of the set; 0: none.

    Returns:
        C x H x W in 0..1, or None where the method makes no images.
    """
    from torchvision.utils import make_grid

    image = shown.image.to(engine.device)
    points = image.ndim == 2
    columns = classes if 2 <= classes <= 2 * COLUMNS else COLUMNS
    count = POINTS if points else columns * ROWS
    label = torch.arange(count, device=engine.device) % classes if classes else None
    rows: list[Tensor] = []
    with suppress(UsageError):  # no prior
        rows.append(engine.sample(count, label))
    if points:
        return torch.cat([_density(x, image) for x in (image, *rows)], 2)
    few = image[:columns]
    with suppress(UsageError):  # no encoder
        again = engine.reconstruct(few, shown.label[:columns].to(engine.device))
        blank = few.new_ones(columns - len(few), *few.shape[1:])
        rows += [(few + 1) / 2, blank, again, blank]
    return make_grid(torch.cat(rows), columns) if rows else None


def _density(points: Tensor, frame: Tensor) -> Tensor:
    """Where the first two values of points lie, in a square around ``frame``: 1 x BINS x BINS, white is most."""
    reach = 1.25 * frame[:, :2].abs().max()
    cells = ((points[:, :2] / reach + 1) / 2 * BINS).long()
    inside = ((cells >= 0) & (cells < BINS)).all(1)
    column, row = cells[inside].unbind(1)
    counts = torch.bincount((BINS - 1 - row) * BINS + column, minlength=BINS * BINS).float()
    return (counts / counts.max().clamp(min=1)).sqrt().view(1, BINS, BINS).cpu()
