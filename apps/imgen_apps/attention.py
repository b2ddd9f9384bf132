"""From a network's attention, which says where a drop is, to how much of a pixel is replaced.

Works on NumPy arrays and on torch tensors: what imgen does and what it exports for other programs is one thing.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgen.image import file
from imgen.image.metadata import Metadata

IGNORED = 0.2  # attention that is taken for none: no network says 0 wherever there is nothing
SURE = 0.2  # attention beyond that from which on a pixel is replaced in full: veils are drops, too
SPREAD = 2  # pixels, by which what was found becomes wider

Map = NDArray[np.uint8]  # H x W, 0 = clear .. 255 = drop


def certain(attention: Any) -> Any:
    """Attention, 0..1, without what is ignored of it: 0..1, and 0 exactly where nothing is to change."""
    return ((attention - IGNORED) / (1 - IGNORED)).clip(0, 1)


def blend(found: Any) -> Any:
    """The share of a pixel that is replaced, 0..1, where ``certain`` gave ``found``: a smooth step."""
    step = (found / SURE).clip(0, 1)
    return step * step * (3 - 2 * step)


def write_maps(maps: list[Map], target: Path, metadata: Metadata | None = None) -> None:
    """Write the maps of an image's frames as one grey picture, over a file that is there.

    Args:
        maps: one a frame.
        target: whose suffix says the format.
        metadata: of the image; of an animation its timing is taken over.

    Raises:
        ImageError: the format cannot hold that many, or the file cannot be written.
        UsageError: imgen writes no format of that suffix.
    """
    timing = Metadata() if metadata is None else Metadata(durations=metadata.durations, loop=metadata.loop)
    format_ = file.format_for(target, None, "PNG")
    file.write(file.Picture([each[..., None] for each in maps], format_, timing), target)
