"""Adversarially learned inference: an encoder and a decoder whose pairs (image, code) cannot be told apart.

References: Dumoulin et al. 2017, "Adversarially Learned Inference", arXiv:1606.00704, algorithm 1; Donahue
et al. 2017, "Adversarial Feature Learning" (BiGAN), arXiv:1605.09782, whose encoder is deterministic.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.losses.adversarial import NON_SATURATING, swap
from imgen.networks.default import decoder, encoder, joint_discriminator
from imgen.networks.gaussian import gaussian
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class ALI(Engine):
    """Encoder and decoder, as one player, against a discriminator of pairs."""

    @dataclass(frozen=True)
    class Config:
        """Sizes and rates of the paper's CIFAR-10 experiment (appendix A)."""

        code: int = 64
        width: int = 64
        norm: str = "batch"  # of encoder and decoder
        stochastic: bool = True  # the encoder gives a Gaussian; False: a point, as in BiGAN
        learning_rate: float = 1e-4

    def __init__(self, encoder: Network, decoder: Network, discriminator: Network, config: Config) -> None:
        super().__init__()
        self.encoder, self.decoder, self.discriminator, self.config = encoder, decoder, discriminator, config

    @classmethod
    def build(cls, shape: Shape, config: Config) -> Self:
        """Two networks of the config's normalisation, and a joint discriminator with dropout instead."""
        code, width, norm = config.code, config.width, config.norm
        return cls(
            encoder(shape, 2 * code if config.stochastic else code, width=width, norm=norm),
            decoder(shape, code, width=width, norm=norm),
            joint_discriminator(shape, code, width=width),
            config,
        )

    def players(self) -> dict[str, Player]:
        """The discriminator, and encoder and decoder together."""
        rate = self.config.learning_rate
        both = nn.ModuleList([self.encoder, self.decoder])
        return {"discriminator": Player(self.discriminator, rate), "generator": Player(both, rate)}

    @property
    def product(self) -> Network:
        """The decoder."""
        return self.decoder

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """Both players from one forward pass."""
        del t
        real = next(batches).image
        code = self.prior(len(real))
        encoded = self.discriminator(real, self.infer(real)).logits
        decoded = self.discriminator(self.decoder(code), code).logits
        yield {
            "discriminator": NON_SATURATING.discriminator(encoded, decoded),
            "generator": swap(encoded, decoded),
        }

    def infer(self, image: Tensor) -> Tensor:
        """A draw from the encoder's distribution of the code, N x code, or its only point."""
        raw = self.encoder(image)
        return gaussian(raw).sample() if self.config.stochastic else raw

    @torch.no_grad()
    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 to the mean of their codes; what is decoded from it resembles them in kind, not in detail."""
        del label
        raw = self.encoder(image)
        return gaussian(raw).mu if self.config.stochastic else raw
