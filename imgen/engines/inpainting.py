"""Adversarial inpainting: reconstruction, perceptual distance, hinge adversary and feature matching.

The recipe of Suvorov et al. 2022, "Resolution-robust Large Mask Inpainting with Fourier
Convolutions", arXiv:2109.07161, sec. 2.2 to 2.3, with these parts exchanged. Differs: the perceptual
distance is whichever is given, and the adversary is a spectrally normalised hinge instead of R1 (no
second derivatives: half the cost on a CPU).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.engines.engine import Engine, Player, Updates
from imgen.losses.adversarial import HINGE
from imgen.losses.matching import feature_l1
from imgen.losses.reconstruction import masked_l1
from imgen.networks.network import Network, Scored

Distance = Callable[[Tensor, Tensor], Tensor]
"""How different images look from their targets, N x 3 x H x W in 0..1 each: one value, the mean over the batch."""


class Holes(NamedTuple):
    """A batch: images, N x 3 x H x W in 0..1, and masks, N x 1 x H x W, 1 = fill."""

    image: Tensor
    mask: Tensor


@dataclass(frozen=True)
class InpaintingConfig:
    """Weights of the losses (all are means) and the order of events."""

    pixel: float = 10.0  # mean absolute difference inside the hole
    perceptual: float = 0.5  # perceptual distance of the whole image, divided by the hole's share
    adversarial: float = 0.5
    matching: float = 5.0  # features of the discriminator
    adversary_from: int = 1500  # steps before the discriminator joins
    learning_rate: float = 3e-4


class InpaintingGAN(Engine):
    """Generator against patch discriminator; the discriminator is shown the mask as a fourth channel."""

    def __init__(
        self, generator: Network, discriminator: Network, distance: Distance, config: InpaintingConfig
    ) -> None:
        super().__init__()
        self.generator, self.discriminator, self.config = generator, discriminator, config
        self._distance = (distance,)  # in a tuple: frozen, so no part of this engine's state

    def players(self) -> dict[str, Player]:
        """The generator and the discriminator."""
        rate = self.config.learning_rate
        return {
            "generator": Player(self.generator, rate, (0.9, 0.99)),
            "discriminator": Player(self.discriminator, rate, (0.5, 0.99)),
        }

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Holes], t: int) -> Updates:
        """The discriminator first, then the generator, on one fake (its graph stays valid in between)."""
        real, mask = next(batches)
        fake = self.generator(real, mask)
        adversary = t >= self.config.adversary_from
        if adversary:
            judged, target = self._judge(fake.detach(), mask), self._judge(real, mask)
            yield "discriminator", HINGE.discriminator(_in_hole(target, mask), _in_hole(judged, mask))
        yield "generator", self._generator_loss(real, fake, mask, adversary)

    def _generator_loss(self, real: Tensor, fake: Tensor, mask: Tensor, adversary: bool) -> Tensor:
        config, (distance,) = self.config, self._distance
        share = mask.mean().clamp(min=0.01)
        terms = {
            "pixel": config.pixel * masked_l1(fake, real, mask),
            "perceptual": config.perceptual * distance(fake, real) / share,
        }
        if adversary:
            judged = self._judge(fake, mask)
            with torch.no_grad():
                target = self._judge(real, mask)
            terms["adversarial"] = config.adversarial * HINGE.generator(_in_hole(judged, mask))
            terms["matching"] = config.matching * feature_l1(judged.features, target.features) / share
        self._terms = {name: term.detach() for name, term in terms.items()}  # weighted
        return torch.stack(list(terms.values())).sum()

    def _judge(self, image: Tensor, mask: Tensor) -> Scored:
        return self.discriminator(torch.cat([image * 2 - 1, mask], 1))


def _in_hole(scored: Scored, mask: Tensor) -> Tensor:
    """The logits of patches that touch the hole: elsewhere real and fake are the same pixels."""
    touched = F.adaptive_max_pool2d(mask, scored.logits.shape[-2:]) > 0
    return scored.logits[touched]
