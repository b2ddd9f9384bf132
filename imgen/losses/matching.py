"""Distances between the features of two pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def feature_l1(result: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Feature matching: the mean absolute difference of each level, averaged over levels.

    Reference: Wang et al. 2018, "High-Resolution Image Synthesis and Semantic Manipulation with
    Conditional GANs", arXiv:1711.11585, eq. 4. The target is a constant: it gets no gradient.
    """
    return torch.stack([F.l1_loss(a, b.detach()) for a, b in zip(result, target, strict=True)]).mean()


def normalised_l2(result: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """The distance of Zhang et al. 2018 (LPIPS), arXiv:1801.03924, eq. 1, with all channel weights equal.

    Each place's feature vector is scaled to unit length; squared differences are summed over channels,
    averaged over places, images and levels. 0 for equal features, at most 4 (opposite ones).
    """
    return torch.stack(
        [(_unit(a) - _unit(b.detach())).square().sum(1).mean() for a, b in zip(result, target, strict=True)]
    ).mean()


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True) + 1e-8).sqrt()
