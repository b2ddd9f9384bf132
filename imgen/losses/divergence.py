"""How far apart two distributions are: closed forms, grids and samples. All in nats or in the samples' unit."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.errors import UsageError
from imgen.networks.layers import precise

Kernel = Callable[[Tensor], Tensor]  # of squared distances


def kl_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, exp logvar) || N(0, 1)), N x ... to N, summed over the dimensions.

    Kingma & Welling 2014, "Auto-Encoding Variational Bayes", arXiv:1312.6114, appendix B.
    """
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).flatten(1).sum(1)


def kl_normals(mu: Tensor, logvar: Tensor, other_mu: Tensor, other_logvar: Tensor) -> Tensor:
    """KL(N(mu, exp logvar) || N(other_mu, exp other_logvar)), N x ... to N, summed over the dimensions."""
    ratio = logvar - other_logvar
    distance = (mu - other_mu).square() * (-other_logvar).exp()
    return 0.5 * (distance + ratio.exp() - 1 - ratio).flatten(1).sum(1)


def jensen_shannon(p: Tensor, q: Tensor, cell: float = 1.0) -> Tensor:
    """The Jensen-Shannon divergence of two densities on the same grid: 0 (equal) to log 2 (disjoint).

    Args:
        p: density or probability at each point, any shape.
        q: the same shape.
        cell: length or volume that a point stands for; 1 for probabilities.
    """
    # The sum, twice the mixture, never rounds to 0 where p or q is not 0; xlogy(0, 0) is 0.
    halves = [torch.xlogy(d, d) - torch.xlogy(d, p + q) + d * math.log(2) for d in (p, q)]
    return torch.stack(halves).sum() * cell / 2


def wasserstein_1d(a: Tensor, b: Tensor) -> Tensor:
    """The distance W1 of two sets of as many numbers: sorted, they are matched in order.

    Args:
        a: N numbers.
        b: N numbers.
    """
    return F.l1_loss(a.sort().values, b.sort().values)


def inverse_multiquadratics(
    dim: int, variance: float = 1.0, scales: Sequence[float] = (0.1, 0.2, 0.5, 1, 2, 5, 10)
) -> list[Kernel]:
    """Kernels C / (C + d^2), C = 2 dim variance scale, for samples near N(0, variance) in ``dim`` dimensions.

    Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", arXiv:1711.01558, sec. 4; the scales are those of its code.
    """
    return [_inverse_multiquadratic(2 * dim * variance * scale) for scale in scales]


def _inverse_multiquadratic(c: float) -> Kernel:
    return lambda squared: c / (c + squared)


def mmd(x: Tensor, y: Tensor, kernels: Sequence[Kernel]) -> Tensor:
    """The squared maximum mean discrepancy, unbiased (so at times below 0), summed over kernels.

    Gretton et al. 2012, "A Kernel Two-Sample Test", JMLR 13, eq. 3.

    Args:
        x: N x D samples of one distribution, 2 at least.
        y: M x D samples of the other, 2 at least.
        kernels: each of squared distances, 1 at 0 (as those of ``inverse_multiquadratics`` are).

    Raises:
        UsageError: fewer than 2 samples.
    """
    n, m = len(x), len(y)
    if min(n, m) < 2:
        raise UsageError(f"MMD compares pairs: it needs 2 samples of each, got {n} and {m}; use larger batches")
    xx, yy, xy = _squared_distances(x, x), _squared_distances(y, y), _squared_distances(x, y)
    # A sample's pair with itself, 1, does not count.
    return torch.stack(
        [
            (kernel(xx).sum() - n) / (n * (n - 1)) + (kernel(yy).sum() - m) / (m * (m - 1)) - 2 * kernel(xy).mean()
            for kernel in kernels
        ]
    ).sum()


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """N x D and M x D to N x M; by differences, which unlike products keep their digits under autocast."""
    return (precise(x)[:, None] - precise(y)[None]).square().sum(2)


def mutual_information_bound(logits: Tensor, code: Tensor) -> Tensor:
    """A lower bound of the mutual information of a uniform categorical code and what was made of it, in nats.

    E log Q(c | x) + H(c): Chen et al. 2016, "InfoGAN", arXiv:1606.03657, eq. 4. At most log K.

    Args:
        logits: of Q, N x K.
        code: the categories that went in, N int64.
    """
    return math.log(logits.shape[1]) - F.cross_entropy(logits, code)
