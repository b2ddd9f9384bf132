"""InfoGAN: some of the code is made to be seen in the image, so that it comes to mean something.

Reference: Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing
Generative Adversarial Nets", arXiv:1606.03657, eq. 6, with the numbers of the authors' MNIST code. Differs:
Q is one linear layer on the discriminator's features instead of two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.divergence import mutual_information_bound
from imgen.losses.likelihood import gaussian
from imgen.networks.default import decoder, discriminator
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class Factors(NamedTuple):
    """What Q reads from images: logits of the category, N x K, and means of the continuous codes, N x C."""

    category: Tensor
    continuous: Tensor


class InfoGAN(Engine):
    """DCGAN with a lower bound of the mutual information of codes and images in both players' losses."""

    @dataclass(frozen=True)
    class Config:
        """The code is noise, then one of ``categories``, then ``continuous`` values; all but the category -1..1."""

        noise: int = 62
        categories: int = 10
        continuous: int = 2
        width: int = 64
        norm: str = "batch"
        information: float = 1.0  # lambda
        discriminator_rate: float = 2e-4
        generator_rate: float = 1e-3

        def __post_init__(self) -> None:
            if self.categories < 2:
                raise UsageError(f"categories must be at least 2, got {self.categories}")

        @property
        def code(self) -> int:
            """Values the generator takes."""
            return self.noise + self.categories + self.continuous

    def __init__(self, generator: Network, discriminator: Network, config: Config) -> None:
        super().__init__()
        self.generator, self.discriminator, self.config = generator, discriminator, config

    @classmethod
    def build(cls, shape: Shape, config: Config) -> Self:
        """A decoder, and a discriminator whose further outputs are Q's."""
        outputs = 1 + config.categories + config.continuous
        return cls(
            decoder(shape, config.code, width=config.width, norm=config.norm),
            discriminator(shape, width=config.width, norm=config.norm, outputs=outputs),
            config,
        )

    def players(self) -> dict[str, Player]:
        """The discriminator with Q, and the generator."""
        return {
            "discriminator": Player(self.discriminator, self.config.discriminator_rate),
            "generator": Player(self.generator, self.config.generator_rate),
        }

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def prior(self, n: int) -> Tensor:
        """Codes, N x code: uniform noise, a one-hot category, uniform continuous values."""
        config, device = self.config, self.device
        category = torch.randint(config.categories, (n,), device=device)
        uniform = torch.rand(n, config.noise + config.continuous, device=device) * 2 - 1
        noise, continuous = uniform.split([config.noise, config.continuous], 1)
        return torch.cat([noise, F.one_hot(category, config.categories), continuous], 1)

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """The discriminator with Q, then the generator, on the same codes; both are after the information."""
        del t
        real = next(batches).image
        code = self.prior(len(real))
        with torch.no_grad():
            fake = self.generator(code)
        scores = self.discriminator(fake).logits
        game = NON_SATURATING.discriminator(self.discriminator(real).logits[:, :1], scores[:, :1])
        yield "discriminator", game - self.config.information * self.information(scores, code)

        scores = self.discriminator(self.generator(code)).logits
        information = self.information(scores, code)
        self._terms = {"information": information.detach()}
        yield "generator", NON_SATURATING.generator(scores[:, :1]) - self.config.information * information

    def information(self, scores: Tensor, code: Tensor) -> Tensor:
        """The bound L_I of eq. 5 in nats, without the entropy of the continuous codes, which is a constant.

        Args:
            scores: of the discriminator, on what was made of the codes.
            code: the codes, N x code.
        """
        config = self.config
        _, category, continuous = code.split([config.noise, config.categories, config.continuous], 1)
        read = self._factors(scores)
        return mutual_information_bound(read.category, category.argmax(1)) - gaussian(read.continuous, continuous)

    @torch.no_grad()
    def recognise(self, image: Tensor) -> Factors:
        """What Q reads from images in -1..1."""
        return self._factors(self.discriminator(image).logits)

    def _factors(self, scores: Tensor) -> Factors:
        return Factors(*scores[:, 1:].split([self.config.categories, self.config.continuous], 1))
