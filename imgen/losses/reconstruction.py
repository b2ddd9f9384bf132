"""Distances between a picture and what it should be."""

from torch import Tensor


def masked_l1(result: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference inside the mask, over the whole batch: big holes count by their size.

    Args:
        result: N x C x H x W.
        target: the same shape.
        mask: N x 1 x H x W, 1 = counted.

    Returns:
        A scalar in the unit of the images; 0 for an empty mask.
    """
    return ((result - target).abs() * mask).sum() / (mask.sum() * result.shape[1]).clamp(min=1)
