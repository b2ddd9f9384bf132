"""Masks with a hole in them."""

import torch


def hole(height: int, width: int) -> torch.Tensor:
    """1 x 1 x height x width, 1 in the second quarter of the rows and columns."""
    mask = torch.zeros(1, 1, height, width)
    mask[..., height // 4 : height // 2, width // 4 : width // 2] = 1
    return mask
