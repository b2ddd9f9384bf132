"""Codes laid out in two dimensions, to see what changes from one to the next."""

import math

import torch
from torch import Tensor

from imgen.errors import UsageError


def between(corners: Tensor, side: int) -> Tensor:
    """Codes on a square whose corners are four codes.

    The weights of the corners are products of sine and cosine, whose squares add up to 1: between standard normal
    codes every point of the square is a standard normal code again, where a plain mean would be too near to 0
    (White 2016, arXiv:1609.04468).

    Args:
        corners: 4 x Z: top left, top right, bottom left, bottom right.
        side: codes in a row, 2 at least.

    Returns:
        side*side x Z, row by row.
    """
    angle = torch.linspace(0, math.pi / 2, side, device=corners.device)
    weights = torch.stack([angle.cos(), angle.sin()], 1)  # side x 2: of the first and of the last
    square = torch.einsum("ri,cj,ijz->rcz", weights, weights, corners.reshape(2, 2, -1))
    return square.flatten(0, 1)


def along(drawn: Tensor, across: int, down: int, side: int) -> Tensor:
    """Codes that differ in two values only.

    They go from the 2.5 % to the 97.5 % quantile of what was drawn, in steps of equal share (as Kingma & Welling
    2014, arXiv:1312.6114, fig. 4), whatever the prior is.

    Args:
        drawn: N x Z codes of the prior; the first one gives the other values.
        across: number of the value that changes from left to right.
        down: number of the value that changes from top to bottom.
        side: codes in a row.

    Returns:
        side*side x Z, row by row.

    Raises:
        UsageError: the code has no such values, or they are one and the same.
    """
    size = drawn.shape[1]
    if across == down or not (0 <= across < size and 0 <= down < size):
        raise UsageError(f"axes {across} and {down}: give two different numbers from 0 to {size - 1}")
    shares = torch.linspace(0.025, 0.975, side, device=drawn.device)
    codes = drawn[0].repeat(side, side, 1)
    codes[:, :, across] = drawn[:, across].quantile(shares)
    codes[:, :, down] = drawn[:, down].quantile(shares)[:, None]
    return codes.flatten(0, 1)
