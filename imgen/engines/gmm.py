"""Mixtures of Gaussians by expectation-maximisation: the yardstick that needs no training loop.

Reference: Dempster, Laird & Rubin 1977, "Maximum Likelihood from Incomplete Data via the EM
Algorithm", J. R. Stat. Soc. B 39; the updates as in Bishop 2006, "Pattern Recognition and Machine
Learning", eq. 9.23 to 9.27; the starting means by Arthur & Vassilvitskii 2007, "k-means++".
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from imgen.errors import UsageError

Covariance = Literal["full", "tied", "diagonal", "spherical"]


@dataclass(frozen=True)
class GaussianMixture:
    """K Gaussians in D dimensions, in double precision."""

    weights: Tensor  # K, summing to 1
    means: Tensor  # K x D
    covariances: Tensor  # K x D x D (full, tied), or K x D: the diagonals (diagonal, spherical)
    kind: Covariance

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats of each row of N x D: N."""
        return self._joint(x).logsumexp(1)

    def responsibilities(self, x: Tensor) -> Tensor:
        """The posterior of the component, N x K (the E-step: Bishop eq. 9.23)."""
        return self._joint(x).softmax(1)

    def sample(self, n: int) -> Tensor:
        """n x D draws, from torch's global generator."""
        chosen = torch.multinomial(self.weights, n, replacement=True)
        noise = torch.randn(n, self.means.shape[1], dtype=self.means.dtype)
        for k, spread in enumerate(self.covariances):
            rows = chosen == k
            factor = spread.sqrt().diag() if spread.ndim == 1 else torch.linalg.cholesky(spread)
            noise[rows] = noise[rows] @ factor.T
        return self.means[chosen] + noise

    def bic(self, x: Tensor) -> float:
        """Bayesian information criterion on N x D (Schwarz 1978): lower is better."""
        k, d = self.means.shape
        free = {"full": k * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diagonal": k * d, "spherical": k}[self.kind]
        parameters = (k - 1) + k * d + free
        return float(-2 * self.log_prob(x).sum() + parameters * math.log(len(x)))

    def _joint(self, x: Tensor) -> Tensor:
        """log pi_k + log N(x | mu_k, Sigma_k), N x K; one component at a time, for the memory."""
        x = x.double()
        densities = [_log_normal(x - mean, spread) for mean, spread in zip(self.means, self.covariances, strict=True)]
        return torch.stack(densities, 1) + self.weights.log()


class Fit(NamedTuple):
    """A mixture, and the mean log-likelihood before each M-step and after the last one."""

    mixture: GaussianMixture
    log_likelihoods: list[float]


def fit(
    x: Tensor,
    components: int,
    kind: Covariance = "full",
    *,
    regularisation: float = 1e-6,
    tolerance: float = 1e-5,
    iterations: int = 200,
) -> Fit:
    """Maximise the likelihood of N x D data.

    Args:
        x: the data; images are flattened first, or better projected on some fifty principal directions.
        components: K.
        kind: of the covariances: one full matrix each, one for all (tied), diagonals, or multiples of 1.
        regularisation: added to all variances, so that no component collapses on one point.
        tolerance: stop when the mean log-likelihood grows by less (nats).
        iterations: stop after so many in any case.

    Raises:
        UsageError: fewer data than components, data that are no matrix, an unknown kind.
    """
    if x.ndim != 2 or len(x) < components or components < 1:
        raise UsageError(f"a mixture of {components} needs at least as many rows of data, got {tuple(x.shape)}")
    if kind not in get_args(Covariance):
        raise UsageError(f"no covariance is called {kind!r}; there are {', '.join(get_args(Covariance))}")
    x = x.double()
    # k-means++ means, with every component as wide as all the data.
    mixture = _maximise(x, torch.full((len(x), components), 1 / components, dtype=x.dtype), kind, regularisation)
    mixture = GaussianMixture(mixture.weights, _spread_out(x, components), mixture.covariances, kind)
    history = [float(mixture.log_prob(x).mean())]
    for _ in range(iterations):
        mixture = _maximise(x, mixture.responsibilities(x), kind, regularisation)
        history.append(float(mixture.log_prob(x).mean()))
        if history[-1] - history[-2] < tolerance:
            break
    return Fit(mixture, history)


def _maximise(x: Tensor, responsibility: Tensor, kind: Covariance, regularisation: float) -> GaussianMixture:
    """The M-step: Bishop eq. 9.24 to 9.27."""
    count = responsibility.sum(0).clamp(min=1e-10)
    means = responsibility.T @ x / count[:, None]
    spreads = []
    for mean, share, n in zip(means, responsibility.T, count, strict=True):
        away = x - mean
        if kind in ("full", "tied"):
            spreads.append((share[:, None] * away).T @ away / n)
        else:
            spreads.append(share @ away.square() / n)
    covariances = torch.stack(spreads)
    if kind == "tied":
        covariances = torch.einsum("k,kij->ij", count / count.sum(), covariances).expand_as(covariances)
    if kind == "spherical":
        covariances = covariances.mean(1, keepdim=True).expand_as(covariances)
    eye = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    covariances = covariances + regularisation * (eye if covariances.ndim == 3 else 1)
    return GaussianMixture(count / count.sum(), means, covariances, kind)


def _log_normal(away: Tensor, spread: Tensor) -> Tensor:
    """Log-density of N x D differences from the mean; ``spread`` is a covariance or its diagonal."""
    constant = away.shape[1] * math.log(2 * math.pi)
    if spread.ndim == 1:
        return -0.5 * (away.square() @ (1 / spread) + spread.log().sum() + constant)
    factor = torch.linalg.cholesky(spread)
    whitened = torch.linalg.solve_triangular(factor, away.T, upper=False)
    return -0.5 * (whitened.square().sum(0) + constant) - factor.diagonal().log().sum()


def _spread_out(x: Tensor, components: int) -> Tensor:
    """k-means++: data points, each drawn with probability proportional to the squared distance from the others."""
    chosen = [x[torch.randint(len(x), ())]]
    distance = torch.full((len(x),), torch.inf, dtype=x.dtype, device=x.device)
    for _ in range(components - 1):
        distance = torch.minimum(distance, (x - chosen[-1]).square().sum(1))
        chosen.append(x[torch.multinomial(distance + 1e-12, 1)[0]])
    return torch.stack(chosen)
