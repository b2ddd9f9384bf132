"""Conditional GANs: the label is given to both networks, and a true image with a wrong label is a fake too.

References: Mirza & Osindero 2014, "Conditional Generative Adversarial Nets", arXiv:1411.1784, eq. 2;
mismatched pairs: Reed et al. 2016, "Generative Adversarial Text to Image Synthesis", arXiv:1605.05396,
algorithm 1 (GAN-CLS); the generator's other aim, mean features: Salimans et al. 2016, arXiv:1606.03498,
sec. 3.1. On the networks of DCGAN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.lookup import find
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.matching import mean_match
from imgen.networks.default import decoder, discriminator
from imgen.networks.layers import precise
from imgen.networks.network import Network
from imgen.networks.scale import Shape

LOSSES = {
    "non-saturating": "the discriminator is to call what is made real",
    "feature-matching": "its features, the last before the score, are to have the same mean on real and made images",
}


class ConditionalGAN(Engine):
    """A generator of (code, label) against a discriminator of (image, label).

    With mismatched pairs at weight w the best generator's density of (x, c) is no longer that of the
    data but proportional, for each c, to what of p(x, c) is left above a multiple of the mismatched
    pairs' own, w p(c) p(x | not c): where classes overlap it keeps away from images that could be
    either. At weight 0 it is that of the data, but nothing but the discriminator's own eye for pairs
    makes the generator obey.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes and rates; see the class for ``mismatch``."""

        code: int = 100
        width: int = 64
        norm: str = "batch"
        learning_rate: float = 2e-4
        loss: str = "non-saturating"  # of the generator; or feature-matching
        mismatch: float = 0.25  # share of mismatched pairs among the fakes, 0..1/2; 1/2 in GAN-CLS

        def __post_init__(self) -> None:
            find(LOSSES, self.loss, "loss")
            if not 0 <= self.mismatch <= 0.5:
                raise UsageError(f"mismatch is a share of the fakes, 0 to 0.5, got {self.mismatch}")

    def __init__(self, generator: Network, discriminator: Network, classes: int, config: Config) -> None:
        super().__init__()
        self.generator, self.discriminator, self.config = generator, discriminator, config
        self.classes = classes

    @classmethod
    def build(cls, shape: Shape, config: Config) -> Self:
        """A decoder and a discriminator that see labels.

        Raises:
            UsageError: the data have fewer than 2 classes.
        """
        if shape.classes < 2:
            raise UsageError(f"a conditional GAN needs data of 2 or more classes, these have {shape.classes}")
        width, norm = config.width, config.norm
        return cls(
            decoder(shape, config.code, width=width, norm=norm, conditional=True),
            discriminator(shape, width=width, norm=norm, conditional=True),
            shape.classes,
            config,
        )

    def players(self) -> dict[str, Player]:
        """The discriminator and the generator, at one learning rate."""
        rate = self.config.learning_rate
        return {"discriminator": Player(self.discriminator, rate), "generator": Player(self.generator, rate)}

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """The discriminator on matching, generated and mismatched pairs; the generator on the same labels.

        Raises:
            UsageError: the label of an image is not known.
        """
        del t
        real, label, _ = next(batches)
        if (label < 0).any():
            raise UsageError("a conditional GAN needs the label of every image; leave out those that have none")
        code, share = self.prior(len(real)), self.config.mismatch
        with torch.no_grad():
            fake = self.generator(code, label)
        yield (
            "discriminator",
            NON_SATURATING.discriminator(
                self._judge(real, label),
                self._judge(fake, label),
                self._judge(real, mismatched(label, self.classes)),
                weights=(1 - share, share),
            ),
        )
        yield "generator", self._generator_loss(real, self.generator(code, label), label)

    def _generator_loss(self, real: Tensor, fake: Tensor, label: Tensor) -> Tensor:
        if self.config.loss == "non-saturating":
            return NON_SATURATING.generator(self._judge(fake, label))
        # Both in one batch: batch normalisation of each by itself would take away the difference of the means.
        seen = self.discriminator(torch.cat([real, fake]), torch.cat([label, label]))
        wanted, made = precise(seen.features[-1]).chunk(2)
        return mean_match(made, wanted.detach())

    def sample(self, n: int, label: Tensor | None = None) -> Tensor:
        """``n`` new images of these labels, N int64; without them the classes take turns."""
        turns = torch.arange(n, device=self.device) % self.classes
        return super().sample(n, turns if label is None else label)

    def _judge(self, image: Tensor, label: Tensor) -> Tensor:
        return self.discriminator(image, label).logits


def mismatched(label: Tensor, classes: int) -> Tensor:
    """For each label, N int64, another one, drawn evenly from those that it is not."""
    return (label + torch.randint_like(label, 1, classes)) % classes
