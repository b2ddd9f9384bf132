"""Image-to-image translation learnt from pairs.

Reference: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
arXiv:1611.07004, sec. 3. Without a discriminator this is the regression of its table 1, L1 alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from imgen.engines.engine import Engine, Player, Updates, to_signed
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.reconstruction import signed_l1
from imgen.networks.network import Network


class Translation(NamedTuple):
    """A batch: what goes in, N x C x H x W in 0..1, and what is to come out, N x C' x H x W in 0..1."""

    input: Tensor
    target: Tensor


@dataclass(frozen=True)
class Pix2PixConfig:
    """Weights of the losses, sec. 3.3 and 3.4; 0 leaves a part out."""

    adversarial: float = 1.0  # eq. 1
    l1: float = 100.0  # eq. 3, of images in -1..1
    learning_rate: float = 2e-4


class Pix2Pix(Engine):
    """A generator against a discriminator that sees input and result together.

    Args:
        generator: inputs to results.
        discriminator: judges inputs with targets or results, N x (C + C') x H x W in -1..1, by ``Scored``; None
            where nothing adversarial is asked for.
        config: weights.

    Raises:
        UsageError: an adversarial loss is asked for, and there is no discriminator.
    """

    def __init__(self, generator: Network, discriminator: Network | None, config: Pix2PixConfig) -> None:
        super().__init__()
        if discriminator is None and config.adversarial:
            raise UsageError("adversarial wants a discriminator; set it to 0, or give one")
        self.generator, self.discriminator, self.config = generator, discriminator, config

    def players(self) -> dict[str, Player]:
        """The generator, and the discriminator if there is one, at one learning rate."""
        rate = self.config.learning_rate
        found = {"generator": Player(self.generator, rate)}
        if self.discriminator is not None:
            found["discriminator"] = Player(self.discriminator, rate)
        return found

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Translation], t: int) -> Updates:
        """The discriminator first, then the generator, on one result (its graph stays valid in between)."""
        del t
        given, target = next(batches)
        made: Tensor = self.generator(given)
        if self.discriminator is not None:
            real, fake = self._judge(given, target), self._judge(given, made.detach())
            yield "discriminator", NON_SATURATING.discriminator(real, fake) / 2  # sec. 3.4: it learns at half the rate
        terms = {"l1": self.config.l1 * signed_l1(made, target)}
        if self.discriminator is not None:
            terms["adversarial"] = self.config.adversarial * NON_SATURATING.generator(self._judge(given, made))
        self._terms = {name: term.detach() for name, term in terms.items()}  # weighted
        yield "generator", torch.stack(list(terms.values())).sum()

    def _judge(self, given: Tensor, image: Tensor) -> Tensor:
        assert self.discriminator is not None
        return self.discriminator(to_signed(torch.cat([given, image], 1))).logits
