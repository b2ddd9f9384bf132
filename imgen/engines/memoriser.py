"""The image memoriser: a decoder that learns a set by heart, every image from a code of its own.

Reference: Bojanowski et al. 2018, "Optimizing the Latent Space of Generative Networks",
arXiv:1707.05776, sec. 2 (with the squared error, and codes that are free instead of on the sphere).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.losses.matching import pair_l2
from imgen.networks import default
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class Memoriser(Engine):
    """A table of codes, learnt or one-hot, and a decoder."""

    @dataclass(frozen=True)
    class Config:
        """Sizes and the rate."""

        images: int = 1000  # of the set; the batch's ``index`` counts up to it
        one_hot: bool = False  # fixed codes of ``images`` values, instead of learnt ones of ``code`` values
        code: int = 64
        width: int = 64
        learning_rate: float = 1e-3

    config: Config

    def __init__(self, codes: nn.Embedding, decoder: Network, config: Config) -> None:
        super().__init__()
        self.codes, self.decoder, self.config = codes, decoder, config

    @classmethod
    def build(cls, shape: Shape, config: Config) -> Self:
        """The default decoder, and a code for each image."""
        if config.one_hot:
            config = replace(config, code=config.images)
            codes = nn.Embedding.from_pretrained(torch.eye(config.images))
        else:
            codes = nn.Embedding(config.images, config.code)
        return cls(codes, default.decoder(shape, config.code, width=config.width), config)

    def players(self) -> dict[str, Player]:
        """Codes and decoder as one."""
        return {"memoriser": Player(self, self.config.learning_rate, (0.9, 0.999))}

    @property
    def product(self) -> Network:
        """The decoder."""
        return self.decoder

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch, one update of the decoder and of the codes of these images."""
        del t
        image, _, index = next(batches)
        if index.max() >= self.config.images:
            raise UsageError(f"there is an image number {int(index.max())} and {self.config.images} codes; set images")
        yield "memoriser", pair_l2(self.decoder(self.codes(index)), image)

    def prior(self, n: int) -> Tensor:
        """The codes of images drawn at random: those are all that it knows."""
        return self.codes(torch.randint(self.config.images, (n,), device=self.device)).detach()

    def recall(self, index: Tensor) -> Tensor:
        """Image numbers, N, to the images as remembered, in 0..1."""
        return self.decode(self.codes(index).detach())
