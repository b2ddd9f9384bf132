"""Distances between features: of two pictures, or of the means of two batches."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Extractor = Callable[[Tensor], Sequence[Tensor]]
"""What a loss compares by: images, N x 3 x H x W in 0..1, to features, level by level."""


def feature_l1(result: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """Feature matching: the mean absolute difference of each level, averaged over levels.

    Reference: Wang et al. 2018, "High-Resolution Image Synthesis and Semantic Manipulation with
    Conditional GANs", arXiv:1711.11585, eq. 4. The target is a constant: it gets no gradient.
    """
    return torch.stack([F.l1_loss(a, b.detach()) for a, b in zip(result, target, strict=True)]).mean()


def feature_l2(result: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """The mean squared difference of each level, averaged over levels; the target is a constant.

    Reference: Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative
    Adversarial Network", arXiv:1609.04802, eq. 5, of which sec. 3.2 takes 0.006 beside a loss of pixels.
    """
    return torch.stack([F.mse_loss(a, b.detach()) for a, b in zip(result, target, strict=True)]).mean()


def normalised_l2(result: Sequence[Tensor], target: Sequence[Tensor]) -> Tensor:
    """The distance of Zhang et al. 2018 (LPIPS), arXiv:1801.03924, eq. 1, with all channel weights equal.

    Each place's feature vector is scaled to unit length; squared differences are summed over channels,
    averaged over places, images and levels. 0 for equal features, at most 4 (opposite ones).
    """
    return torch.stack(
        [(_unit(a) - _unit(b.detach())).square().sum(1).mean() for a, b in zip(result, target, strict=True)]
    ).mean()


def pair_l2(a: Tensor, b: Tensor) -> Tensor:
    """Half the squared distance of each pair, N x ..., summed over its values and averaged over the batch.

    -log p of N(a, 1) but for a constant: Larsen et al. 2016, arXiv:1512.09300, sec. 2.3; Bao et al. 2017,
    "CVAE-GAN", arXiv:1703.10155, sec. 3 (pairwise feature matching).
    """
    return (a - b).square().sum() / (2 * len(a))


def mean_match(a: Tensor, b: Tensor) -> Tensor:
    """Half the squared distance of the means over the batch: samples may differ, their average must not.

    Feature matching of Salimans et al. 2016, arXiv:1606.03498, sec. 3.1, halved as
    in Bao et al. 2017, arXiv:1703.10155, sec. 3.

    Args:
        a: N x ...
        b: M x ...
    """
    return (a.mean(0) - b.mean(0)).square().sum() / 2


def mean_match_unbiased(a: Tensor, b: Tensor) -> Tensor:
    """The same of two distributions, as far as two batches tell: it may be negative.

    The distance of the batches' means is on average that of the distributions' and the variance of a - b over the
    number of pairs, half of each. So whoever makes ``a`` does well to make it the same always; here nothing is gained
    by that. An estimate of the squared mean as in Gretton et al. 2012, "A Kernel Two-Sample Test", JMLR 13, lemma 6,
    of a linear kernel.

    Args:
        a: N x ..., N >= 2.
        b: N x ..., each of the class of the one in ``a``.
    """
    apart = a - b
    return (apart.mean(0).square().sum() - apart.var(0).sum() / len(apart)) / 2


def _unit(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True) + 1e-8).sqrt()
