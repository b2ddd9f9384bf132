"""The Wasserstein auto-encoder: the codes of all data together, not those of each, follow the prior.

Reference: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", arXiv:1711.01558: algorithm 1
(WAE-GAN) and 2 (WAE-MMD), with the settings of the authors' code for CelebA: a little noise on the
encoder's input, moments matched before the training begins, log p(z) added to the discriminator's
logit (sec. 4).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.aae import AAE
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.engine import Player, Updates
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.divergence import inverse_multiquadratics, mmd
from imgen.losses.matching import pair_l2


class WAEGAN(AAE):
    """The divergence from the prior as a discriminator of codes sees it; real is a draw from the prior."""

    @dataclass(frozen=True)
    class Config:
        """Sizes, rates, weights."""

        code: int = 64
        width: int = 64
        learning_rate: float = 3e-4
        adversarial_rate: float = 1e-3
        reconstruction: float = 0.1  # on half the squared error
        divergence: float = 10.0
        noise: float = 0.01  # deviation, on the encoder's input in -1..1
        moment_steps: int = 200  # in the beginning, matching the moments of the codes alone

    def players(self) -> dict[str, Player]:
        """Encoder and decoder as one; the discriminator."""
        return {
            "autoencoder": self._autoencoder(),
            "discriminator": Player(self.discriminator, self.config.adversarial_rate),
        }

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """The discriminator, then encoder and decoder, on one batch of codes."""
        config, image = self.config, next(batches).image
        code = self.encoder(image + config.noise * torch.randn_like(image))
        if t < config.moment_steps:
            yield "autoencoder", moment_mismatch(code)
            return
        real, fake = self.score(self.prior(len(image))), self.score(code.detach())
        yield "discriminator", NON_SATURATING.discriminator(real, fake)
        error = pair_l2(self.decoder(code), image)
        divergence = NON_SATURATING.generator(self.score(code))
        self._terms = {"reconstruction": error.detach(), "divergence": divergence.detach()}
        yield "autoencoder", config.reconstruction * error + config.divergence * divergence

    def score(self, code: Tensor) -> Tensor:
        """Logits, N x 1: the prior's log-density is known, so the network need learn only that of the codes."""
        prior = -0.5 * (code.square() - 1).sum(1, keepdim=True)  # but for a constant: 0 on average over the prior
        return self.discriminator(code).logits + prior


class WAEMMD(Autoencoder):
    """The divergence from the prior as the maximum mean discrepancy: stable, nothing to play against."""

    @dataclass(frozen=True)
    class Config:
        """Sizes, rate, weights."""

        code: int = 64
        width: int = 64
        learning_rate: float = 1e-3
        reconstruction: float = 0.1  # on half the squared error
        divergence: float = 10.0
        noise: float = 0.01  # deviation, on the encoder's input in -1..1

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch, one update."""
        del t
        config, image = self.config, next(batches).image
        code = self.encoder(image + config.noise * torch.randn_like(image))
        error = pair_l2(self.decoder(code), image)
        divergence = mmd(code, self.prior(len(image)), inverse_multiquadratics(config.code))
        self._terms = {"reconstruction": error.detach(), "divergence": divergence.detach()}
        yield "autoencoder", config.reconstruction * error + config.divergence * divergence


def moment_mismatch(code: Tensor) -> Tensor:
    """Mean squared difference of the mean of N x Z codes from 0, and of their covariance from the identity."""
    mean = code.mean(0)
    covariance = (code - mean).T @ (code - mean) / (len(code) - 1)
    return mean.square().mean() + (covariance - torch.eye(code.shape[1], device=code.device)).square().mean()
