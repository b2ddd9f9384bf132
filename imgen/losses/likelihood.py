"""Negative log-likelihoods in nats: summed over all values of a datum, averaged over the batch."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def bernoulli(logits: Tensor, x: Tensor) -> Tensor:
    """-log p(x) of independent binary values.

    On values between 0 and 1 it is a loss like others, no likelihood: the density is not normalised
    (Loaiza-Ganem & Cunningham 2019, arXiv:1907.06845).

    Args:
        logits: N x ..., of the probability of 1.
        x: the same shape, 0..1.
    """
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)


def gaussian(mean: Tensor, x: Tensor, logvar: Tensor | float = 0.0) -> Tensor:
    """-log p(x) of independent normal values.

    With one shared, learnt log-variance its optimum is the log of the mean squared error (Rybkin et
    al. 2021, "Simple and Effective VAE Training with Calibrated Decoders", arXiv:2006.13202).

    Args:
        mean: N x ...
        x: the same shape.
        logvar: a number (fixed), a tensor of one value (shared) or of the shape of x (learnt for each value).
    """
    logvar = torch.as_tensor(logvar, dtype=x.dtype, device=x.device)
    squares = (x - mean).square() * (-logvar).exp()
    return 0.5 * (squares + logvar + math.log(2 * math.pi)).sum() / len(x)


def labelled_cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """The mean of - log softmax over the samples whose label is known; 0 where there are none.

    Args:
        logits: N x K.
        label: N int64; -1 where it is not known.
    """
    # The sum over none is 0, where the mean would not be a number.
    return F.cross_entropy(logits, label, ignore_index=-1, reduction="sum") / (label >= 0).sum().clamp(min=1)
