"""Distances between a picture and what it should be."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Difference = Callable[[Tensor, Tensor], Tensor]
"""Of a result and its target, N x C x H x W each: one value."""


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


def signed_l1(result: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of images in 0..1, taken as if they were in -1..1: twice as large.

    That is what the weights of pix2pix and CycleGAN are for, such as the former's 100.

    Args:
        result: N x C x H x W.
        target: the same shape.
    """
    return 2 * F.l1_loss(result, target)


def log_l2(result: Tensor, target: Tensor, floor: float = 1e-5) -> Tensor:
    """Logarithm of each picture's mean squared difference, averaged: PSNR, but for a factor.

    An easy picture counts as much as a hard one, of which plain squares would see little else.

    Args:
        result: N x C x H x W in 0..1.
        target: the same shape.
        floor: added to the mean squares: what is nearer than that (1e-5: 50 dB) is near enough.
    """
    return ((result - target).square().flatten(1).mean(1) + floor).log().mean()


def visible_l2(result: Tensor, target: Tensor, side: int = 15, floor: float = 10 / 255) -> Tensor:
    """Mean squared difference, by how much of it shows: on a plain wall it does, in foliage much of it is lost.

    Contrast hides contrast: Legge & Foley 1980, "Contrast masking in human vision". Each difference is divided by the
    contrast of the target around it.

    Args:
        result: N x C x H x W in 0..1.
        target: the same shape.
        side: of the squares, odd, over which the standard deviation of the target's grey is taken.
        floor: added to it, in squares: what shows on a plain wall.

    Returns:
        A scalar without a unit: 1 for a difference as large as what is around it.
    """
    grey = target.mean(1, keepdim=True)
    mean, square = (F.avg_pool2d(x, side, 1, side // 2, count_include_pad=False) for x in (grey, grey.square()))
    contrast = (square - mean.square()).clamp(min=0) + floor**2
    return ((result - target).square() / contrast).mean()


def multiscale(
    results: Sequence[Tensor], target: Tensor, weights: Sequence[float], difference: Difference = F.mse_loss
) -> Tensor:
    """Differences at several sizes, weighted and summed.

    Reference: Qian et al. 2018, "Attentive Generative Adversarial Network for Raindrop Removal from a
    Single Image", arXiv:1711.10098, eq. 5, whose difference is the mean square.

    Args:
        results: each N x C x h x w.
        target: N x C x H x W, compared with each as its averages over the areas of the smaller pixels.
        weights: one for each result.
        difference: of a result and its target.
    """
    targets = (F.interpolate(target, result.shape[-2:], mode="area") for result in results)
    losses = [w * difference(a, b) for w, a, b in zip(weights, results, targets, strict=True)]
    return torch.stack(losses).sum()


def gradient_difference(result: Tensor, target: Tensor, power: float = 1.0) -> Tensor:
    """How much the sizes of the steps between neighbouring pixels differ; blind to their signs.

    Mathieu et al. 2016, "Deep multi-scale video prediction beyond mean square error",
    arXiv:1511.05440, sec. 3, with means instead of sums.

    Args:
        result: N x C x H x W.
        target: the same shape.
        power: alpha of the paper.
    """
    differences = (a.abs() - b.abs() for a, b in zip(_steps(result), _steps(target), strict=True))
    down, right = (difference.abs().pow(power).mean() for difference in differences)
    return down + right


def total_variation(image: Tensor) -> Tensor:
    """Mean absolute step to the pixel below plus that to the right, N x C x H x W (Rudin et al. 1992, anisotropic)."""
    down, right = (step.abs().mean() for step in _steps(image))
    return down + right


def _steps(image: Tensor) -> tuple[Tensor, Tensor]:
    return image.diff(dim=-2), image.diff(dim=-1)
