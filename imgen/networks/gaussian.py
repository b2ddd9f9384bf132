"""A diagonal Gaussian as the output of a network."""

from typing import NamedTuple

import torch
from torch import Tensor

from imgen.networks.layers import precise


class Gaussian(NamedTuple):
    """Mean and log-variance, of the same shape; the standard deviation is exp(logvar / 2)."""

    mu: Tensor
    logvar: Tensor

    def sample(self) -> Tensor:
        """One draw, differentiable in both (Kingma & Welling 2014, arXiv:1312.6114, sec. 2.4)."""
        return self.mu + torch.randn_like(self.mu) * (self.logvar / 2).exp()


def gaussian(raw: Tensor) -> Gaussian:
    """Read N x 2Z outputs (or N x 2C x H x W) as a Gaussian: the first half are means, the second log-variances.

    Log-variances are kept within -30..20, where their exponentials are numbers in single precision.
    """
    mu, logvar = precise(raw).chunk(2, dim=1)
    return Gaussian(mu, logvar.clamp(-30, 20))
