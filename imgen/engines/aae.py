"""The adversarial auto-encoder: a discriminator makes the codes look like draws from the prior.

Reference: Makhzani et al. 2015, "Adversarial Autoencoders", arXiv:1511.05644, sec. 2, with the
deterministic encoder. Differs: prior N(0, 1) instead of N(0, 25), Adam.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from imgen.data.batch import Batch
from imgen.engines.autoencoder import Autoencoder, autoencoder_networks
from imgen.engines.engine import Player, Updates
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.matching import pair_l2
from imgen.networks import default
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class AAE(Autoencoder):
    """An auto-encoder, and a discriminator of its codes: real is a draw from the prior."""

    @dataclass(frozen=True)
    class Config:
        """Sizes and rates."""

        code: int = 64
        width: int = 64
        learning_rate: float = 2e-4  # of the reconstruction phase
        adversarial_rate: float = 1e-4  # of the regularisation phase

    def __init__(self, encoder: Network, decoder: Network, discriminator: Network, config: Any) -> None:
        super().__init__(encoder, decoder, config)
        self.discriminator = discriminator

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """The default networks; the discriminator's is dense."""
        return cls(*autoencoder_networks(shape, config), code_discriminator(config), config)

    def players(self) -> dict[str, Player]:
        """The encoder twice: with the decoder for the image, alone against the discriminator."""
        rate = self.config.adversarial_rate
        return {
            "autoencoder": self._autoencoder(),
            "discriminator": Player(self.discriminator, rate),
            "encoder": Player(self.encoder, rate),
        }

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """The reconstruction phase, then the regularisation phase, on one batch."""
        del t
        image = next(batches).image
        yield "autoencoder", pair_l2(self.decoder(self.encoder(image)), image)
        code = self.encoder(image)
        real, fake = self.discriminator(self.prior(len(image))), self.discriminator(code.detach())
        yield "discriminator", NON_SATURATING.discriminator(real.logits, fake.logits)
        yield "encoder", NON_SATURATING.generator(self.discriminator(code).logits)


def code_discriminator(config: Any) -> Network:
    """The default discriminator of codes."""
    return default.discriminator(Shape(0, config.code), width=config.width)
