"""A hole filled smoothly from its rim, at one small cost whatever its size.

Reference: Gortler et al. 1996, "The Lumigraph", sec. 3.4.2.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def pull_push(image: Tensor, mask: Tensor, halvings: int = 4, reaches: Sequence[int] = (1, 2, 4, 8, 16)) -> Tensor:
    """Fill the hole smoothly from its rim.

    Pull: average the known pixels, level by level. At the coarsest, weighted averages of growing reach fill
    whatever is still unknown (they need no further halving, so not much need the size be a multiple of). Push: on the
    way up, fill each level's unknown part from the level below.

    Args:
        image: N x C x H x W in 0..1; H and W multiples of 2 ** ``halvings``.
        mask: N x 1 x H x W, 1 = unknown; what is between counts as little as it is known.
        halvings: levels below the image's own.
        reaches: of the averages, in places of the coarsest level: what is farther from all that is known than
            their sum becomes grey.

    Returns:
        N x C x H x W in 0..1, equal to the image where it is known.
    """
    weight = 1 - mask
    levels = [(image * weight, weight)]
    for _ in range(halvings):
        colour, weight = levels[-1]
        levels.append((F.avg_pool2d(colour, 2), F.avg_pool2d(weight, 2)))
    colour, weight = levels.pop()
    for reach in reaches:
        spread = _blur(torch.cat([colour, weight], 1), reach)
        missing = (1 - 4**halvings * weight).clamp(min=0)  # none where a single pixel is known
        colour, weight = colour + missing * spread[:, :-1], weight + missing * spread[:, -1:]
    filled = (colour + 0.5e-6) / (weight + 1e-6)  # grey where all is unknown; the exporter takes 1e-8 for 0
    for colour, weight in reversed(levels):
        known = (weight * 4).clamp(max=1)  # a place with a quarter of its pixels known is known well enough
        below = F.interpolate(filled, scale_factor=2, mode="bilinear", align_corners=False)
        filled = known * colour / (weight + 1e-6) + (1 - known) * below
    return filled


def _blur(x: Tensor, reach: int) -> Tensor:
    """A 3 x 3 binomial average with steps of ``reach``; outside the image counts as unknown (0).

    Sums, no convolution: that would be in bfloat16 where the networks are.
    """
    x = F.pad(x, (reach, reach, reach, reach))
    x = (x[..., : -2 * reach] + 2 * x[..., reach:-reach] + x[..., 2 * reach :]) / 4
    return (x[..., : -2 * reach, :] + 2 * x[..., reach:-reach, :] + x[..., 2 * reach :, :]) / 4
