"""VAE-GAN: a VAE that compares images by the features of a GAN's discriminator.

Reference: Larsen et al. 2016, "Autoencoding beyond pixels using a learned similarity metric",
arXiv:1512.09300, algorithm 1, with the constants of the authors' code. Differs: DCGAN's layers; a
player that waits has its loss multiplied by 0, so that every process takes the same steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.engine import Player, Updates
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.divergence import kl_standard_normal
from imgen.losses.matching import pair_l2
from imgen.networks import default
from imgen.networks.gaussian import gaussian
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class VAEGAN(Autoencoder):
    """Encoder, decoder and discriminator; the decoder is the GAN's generator."""

    @dataclass(frozen=True)
    class Config:
        """Sizes, rate, and the balance of the players."""

        code: int = 128
        width: int = 64
        learning_rate: float = 3e-4
        similarity: float = 5e-5  # in the decoder's loss, of the feature distance; 1 minus it, of the adversary
        equilibrium: float = 0.68  # of the discriminator's cross entropies: log 2 where it cannot tell
        margin: float = 0.35  # about it, in which both play

    def __init__(self, encoder: Network, decoder: Network, discriminator: Network, config: Any) -> None:
        super().__init__(encoder, decoder, config)
        self.discriminator = discriminator

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """The default networks; the encoder has two outputs for each value of the code."""
        return cls(
            default.encoder(shape, 2 * config.code, width=config.width),
            default.decoder(shape, config.code, width=config.width),
            default.discriminator(shape, width=config.width),
            config,
        )

    def players(self) -> dict[str, Player]:
        """Three, each by RMSProp."""
        networks = {"encoder": self.encoder, "decoder": self.decoder, "discriminator": self.discriminator}
        rate = self.config.learning_rate
        return {name: Player(network, rate, optimizer="rmsprop") for name, network in networks.items()}

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch, all players at once: none of them sees another's update."""
        del t
        config, image = self.config, next(batches).image
        posterior = gaussian(self.encoder(image))
        again, new = self.decoder(posterior.sample()), self.decoder(self.prior(len(image)))
        real, recoded, drawn = (self.discriminator(each) for each in (image, again, new))
        divergence = kl_standard_normal(*posterior).mean()
        distance = pair_l2(recoded.features[-1], real.features[-1])
        adversary = NON_SATURATING.discriminator(real.logits, recoded.logits, drawn.logits, weights=(0.5, 0.5))
        fooling = (NON_SATURATING.generator(recoded.logits) + NON_SATURATING.generator(drawn.logits)) / 2
        costs = _costs(real.logits, torch.cat([recoded.logits, drawn.logits]))
        decoder_plays, discriminator_plays = gate(*costs, config.equilibrium, config.margin)
        self._terms = {
            "divergence": divergence.detach(),
            "distance": distance.detach(),
            "adversary": adversary.detach(),
        }
        yield {
            "encoder": divergence + distance,
            "decoder": decoder_plays * (config.similarity * distance + (1 - config.similarity) * fooling),
            "discriminator": discriminator_plays * adversary,
        }

    @torch.no_grad()
    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 to the means of their posteriors, N x code."""
        del label
        return gaussian(self.encoder(image)).mu


def _costs(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The discriminator's mean cross entropies, of the real ones and of the fakes."""
    return NON_SATURATING.real(real).mean().detach(), NON_SATURATING.fake(fake).mean().detach()


def gate(real: Tensor, fake: Tensor, equilibrium: float, margin: float) -> tuple[Tensor, Tensor]:
    """Who plays, 1 or 0: decoder and discriminator.

    The discriminator waits where it is far ahead (a cost is low), the decoder where the discriminator is
    far behind (a cost is high); where both would wait, both play.

    Args:
        real: the discriminator's mean cross entropy of real data, a scalar.
        fake: that of fakes.
        equilibrium: the cost at which they are even.
        margin: how far from it a cost may go.
    """
    low, high = torch.minimum(real, fake) < equilibrium - margin, torch.maximum(real, fake) > equilibrium + margin
    return (~high | low).float(), (~low | high).float()
