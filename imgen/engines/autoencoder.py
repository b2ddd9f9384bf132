"""The auto-encoder: an image through a narrow code and back.

Reference: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks",
Science 313. Nothing ties its codes to a distribution, so what ``sample`` makes of standard normal
codes is no image of the data: the methods that inherit from it are answers to that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.losses.matching import pair_l2
from imgen.networks import default
from imgen.networks.conditional_autoencoder import ConditionalAutoencoder
from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class Autoencoder(Engine):
    """Encoder and decoder, trained as one by half the squared error of the image."""

    @dataclass(frozen=True)
    class Config:
        """Sizes and the rate."""

        code: int = 64
        width: int = 64
        learning_rate: float = 1e-3

    def __init__(self, encoder: Network, decoder: Network, config: Any) -> None:
        super().__init__()
        self.encoder, self.decoder, self.config = encoder, decoder, config

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """The default encoder and decoder."""
        return cls(*autoencoder_networks(shape, config), config)

    def players(self) -> dict[str, Player]:
        """Encoder and decoder as one."""
        return {"autoencoder": self._autoencoder()}

    def _autoencoder(self) -> Player:
        return Player(nn.ModuleList([self.encoder, self.decoder]), self.config.learning_rate, (0.9, 0.999))

    @property
    def product(self) -> Network:
        """The decoder."""
        return self.decoder

    @property
    def whole(self) -> Network | None:
        """Both in one network, where they are told the class and make images: by it ``imgen inpaint`` fills holes."""
        if not (isinstance(self.encoder, ConvEncoder) and isinstance(self.decoder, ConvDecoder)):
            return None
        return ConditionalAutoencoder.of(self.encoder, self.decoder) if self.encoder.config.classes else None

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch, one update."""
        del t
        image = next(batches).image
        yield "autoencoder", pair_l2(self.decoder(self.encoder(image)), image)

    @torch.no_grad()
    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 to codes, N x code."""
        del label
        return self.encoder(image)


def autoencoder_networks(shape: Shape, config: Any) -> tuple[Network, Network]:
    """The encoder and the decoder that the methods with a deterministic code share."""
    return (
        default.encoder(shape, config.code, width=config.width),
        default.decoder(shape, config.code, width=config.width),
    )
