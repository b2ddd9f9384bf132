"""The variational auto-encoder: a code with a prior, by a bound on the likelihood.

Reference: Kingma & Welling 2014, "Auto-Encoding Variational Bayes", arXiv:1312.6114, sec. 3, with one
draw per datum; beta: Higgins et al. 2017, "beta-VAE" (beta = 2 is the penalty exp(s) - (1 + s) + m^2
of some lectures); the shared variance: Rybkin et al. 2021, "Simple and Effective VAE Training with
Calibrated Decoders", arXiv:2006.13202, sec. 3.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn

from imgen.data.batch import Batch
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.engine import Player, Updates
from imgen.errors import UsageError
from imgen.lookup import find
from imgen.losses import likelihood
from imgen.losses.divergence import kl_standard_normal
from imgen.networks import default
from imgen.networks.conv import ConvDecoder
from imgen.networks.gaussian import Gaussian, gaussian
from imgen.networks.network import Network
from imgen.networks.scale import Shape

# No pixel is known better than its rounding to 8 bits: the variance of that, for pixels in -1..1.
FLOOR = math.log((2 / 255) ** 2 / 12)

LIKELIHOODS = {
    "bernoulli": "pixels are black or white",
    "fixed": "Gaussian around the decoder's output, of deviation sigma",
    "shared": "Gaussian, of the deviation that is likeliest for the batch",
    "learned": "Gaussian, of a deviation for each value, by a decoder of its own",
}


class VAE(Autoencoder):
    """A Gaussian encoder, and a decoder whose output is the mean of the image."""

    @dataclass(frozen=True)
    class Config:
        """Sizes, likelihood, weight of the divergence."""

        code: int = 64
        width: int = 64
        likelihood: str = "shared"  # of an image, given its code: one of LIKELIHOODS
        sigma: float = 1.0  # of "fixed", for images in -1..1
        beta: float = 1.0
        warm_up: int = 0  # steps over which beta grows from 0
        learning_rate: float = 1e-3

        def __post_init__(self) -> None:
            find(LIKELIHOODS, self.likelihood, "likelihood")

    conditional: ClassVar[bool] = False  # whether the networks are given the label

    def __init__(self, encoder: Network, decoder: Network, config: Any, spread: Network | None = None) -> None:
        """``spread`` decodes the log-variance of each value, for the "learned" likelihood."""
        super().__init__(encoder, decoder, config)
        if (config.likelihood == "learned") != (spread is not None):
            raise UsageError(f"a decoder of variances belongs to likelihood=learned, not to {config.likelihood!r}")
        if config.likelihood == "bernoulli" and decoder.range != "unit":
            raise UsageError("likelihood=bernoulli is for images, with a decoder that ends in a sigmoid; choose fixed")
        self.spread = spread

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """The default networks; the encoder has two outputs for each value of the code."""
        sizes: dict[str, Any] = {"width": config.width, "conditional": cls.conditional}
        output = "sigmoid" if config.likelihood == "bernoulli" else "tanh"
        encoder = default.encoder(shape, 2 * config.code, **sizes)
        decoder = default.decoder(shape, config.code, output=output, **sizes)
        learned = config.likelihood == "learned"
        spread = default.decoder(shape, config.code, output="linear", **sizes) if learned else None
        return cls(encoder, decoder, config, spread)

    def players(self) -> dict[str, Player]:
        """All networks as one."""
        return {"autoencoder": Player(nn.ModuleList(self.children()), self.config.learning_rate, (0.9, 0.999))}

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch, one update: Kingma & Welling eq. 7, with a weight on the divergence."""
        image, label, _ = next(batches)
        posterior = self.posterior(image, label)
        error = self.error(posterior.sample(), image, label)
        divergence = kl_standard_normal(*posterior).mean()
        self._terms = {"reconstruction": error.detach(), "divergence": divergence.detach()}
        yield "autoencoder", error + self.beta(t) * divergence

    def posterior(self, image: Tensor, label: Tensor | None = None) -> Gaussian:
        """q(z | image): N x code."""
        return gaussian(self.encoder(image, label))

    def beta(self, t: int) -> float:
        """The weight of the divergence at step ``t``."""
        return self.config.beta * min(1.0, (t + 1) / max(self.config.warm_up, 1))

    def error(self, code: Tensor, image: Tensor, label: Tensor | None = None) -> Tensor:
        """- log p(image | code) in nats, summed over the values and averaged over the batch."""
        if self.config.likelihood == "bernoulli":
            logits = cast("ConvDecoder", self.decoder).logits(code, label)
            return likelihood.bernoulli(logits, (image + 1) / 2)
        mean = self.decoder(code, label)
        logvar: Tensor | float
        if self.spread is not None:
            logvar = self.spread(code, label).clamp(FLOOR, 20)
        elif self.config.likelihood == "shared":
            logvar = (mean - image).square().mean().detach().log().clamp(min=FLOOR)
        else:
            logvar = 2 * math.log(self.config.sigma)
        return likelihood.gaussian(mean, image, logvar)

    @torch.no_grad()
    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 to the means of their posteriors, N x code."""
        return self.posterior(image, label).mu
