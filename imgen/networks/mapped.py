"""A generator in two parts: noise to the code of an auto-encoder, and that code to an image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from imgen.networks.mlp import MLP
from imgen.networks.network import Network, Range


class Standardiser(nn.Module):
    """Codes to codes of mean 0 and deviation 1, value by value, and back.

    The moments are running averages: of all batches equally in the beginning, later of the last
    1 / (1 - ``DECAY``) ones, so that they follow an encoder that is still learning.
    """

    DECAY = 0.99

    def __init__(self, code: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.batches: Tensor
        self.register_buffer("mean", torch.zeros(code))
        self.register_buffer("deviation", torch.ones(code))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def update(self, code: Tensor) -> None:
        """Take in a batch of codes, N x Z."""
        self.batches = self.batches + 1
        weight = (1 / self.batches).clamp(min=1 - self.DECAY)
        apart = code.mean(0) - self.mean
        variance = code.var(0, correction=0) * weight + self.deviation.square() * (1 - weight)
        # The batch's mean lies apart from the running one: that is part of the spread, too.
        variance = variance + weight * (1 - weight) * apart.square()
        # New tensors: a graph that still holds the old ones stays valid.
        self.mean = self.mean + weight * apart
        self.deviation = variance.clamp(min=1e-8).sqrt()

    def forward(self, code: Tensor) -> Tensor:
        """The code of the encoder, N x Z, standardised."""
        return (code - self.mean) / self.deviation

    def restore(self, standard: Tensor) -> Tensor:
        """The code that ``forward`` was given."""
        return standard * self.deviation + self.mean


class MappedDecoder(Network):
    """Noise, N x Z, to an image: decoder(restore(mapper(noise)))."""

    @dataclass(frozen=True)
    class Config:
        """The configs of the two networks, as JSON-ready values."""

        mapper: Mapping[str, Any]  # of an MLP: from noise to a standardised code
        decoder: Mapping[str, Any]
        network: str  # the decoder's name in imgen.networks.NETWORKS

    def __init__(self, config: Config) -> None:
        from imgen.networks import NETWORKS

        super().__init__()
        self.config = config
        cls = NETWORKS[config.network]
        self.mapper = MLP(MLP.Config(**config.mapper))
        self.standardiser = Standardiser(self.mapper.config.outputs)
        self.decoder = cls(cls.Config(**config.decoder))

    @classmethod
    def of(cls, mapper: MLP, decoder: Network) -> Self:
        """The two networks in a row: these very ones, no copies."""
        from imgen.networks import NETWORKS

        network = next(name for name, kind in NETWORKS.items() if kind is type(decoder))
        joined = cls(cls.Config(mapper.config_dict(), decoder.config_dict(), network))
        joined.mapper, joined.decoder = mapper, decoder
        return joined

    @property
    def range(self) -> Range:
        """The decoder's."""
        return self.decoder.range

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        """Noise to image; the label is for the decoder."""
        return self.decoder(self.standardiser.restore(self.mapper(noise)), label)
