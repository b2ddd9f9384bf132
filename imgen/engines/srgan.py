"""Super-resolution by a pixel loss alone, or with features and an adversary: SRResNet and SRGAN.

Reference: Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative
Adversarial Network", arXiv:1609.04802, sec. 2.2. The defaults are its SRGAN-VGG54; the stage before it,
SRResNet-MSE, is ``SRGANConfig(pixel=1, content=0, adversarial=0)``. ``distance`` "normalised" compares
features as Zhang et al. 2018 do, and ``matching`` adds those of the discriminator (Wang et al. 2018).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.matching import Extractor, feature_l1, feature_l2, normalised_l2
from imgen.networks.network import Network, Scored


class Pairs(NamedTuple):
    """A batch: small images, N x 3 x H x W in 0..1, and what they were, N x 3 x scale*H x scale*W in 0..1."""

    low: Tensor
    high: Tensor


@dataclass(frozen=True)
class SRGANConfig:
    """Weights of the losses; all are means over images of 0..1, and a weight of 0 leaves its part out."""

    pixel: float = 0.0
    pixel_loss: Literal["l1", "l2"] = "l2"
    content: float = 1.0
    distance: Literal["squared", "normalised"] = "squared"
    feature_scale: float = 1 / 12.75  # of the features in squared distances: sec. 3.2, a factor of 0.006 on the loss
    adversarial: float = 1e-3  # eq. 3
    matching: float = 0.0  # features of the discriminator
    learning_rate: float = 1e-4  # sec. 3.2
    beta1: float = 0.9


class SRGAN(Engine):
    """Generator against discriminator, held to the original by pixels and by features.

    Args:
        generator: small images in 0..1 to large ones in 0..1, not clipped.
        discriminator: large images in 0..1 to ``Scored``; None where nothing adversarial is asked for.
        extractor: images in 0..1 to features, named in the model's card; None where there is no content loss.
        config: weights.

    Raises:
        UsageError: a weight is above 0 whose part is missing.
    """

    def __init__(
        self, generator: Network, discriminator: Network | None, extractor: Extractor | None, config: SRGANConfig
    ) -> None:
        super().__init__()
        if discriminator is None and (config.adversarial or config.matching):
            raise UsageError("adversarial and matching want a discriminator; set both to 0, or give one")
        if extractor is None and config.content:
            raise UsageError("content wants an extractor of features; set it to 0, or give one")
        self.generator, self.discriminator, self.config = generator, discriminator, config
        self._extractor = (extractor,)  # in a tuple: frozen, so no part of this engine's state

    def players(self) -> dict[str, Player]:
        """The generator, and the discriminator if there is one."""
        rate, betas = self.config.learning_rate, (self.config.beta1, 0.999)
        found = {"generator": Player(self.generator, rate, betas)}
        if self.discriminator is not None:
            found["discriminator"] = Player(self.discriminator, rate, betas)
        return found

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Pairs], t: int) -> Updates:
        """The discriminator first, then the generator, on one fake (its graph stays valid in between)."""
        del t
        low, high = next(batches)
        made: Tensor = self.generator(low)
        if self.discriminator is not None:
            yield (
                "discriminator",
                NON_SATURATING.discriminator(self._judge(high).logits, self._judge(made.detach()).logits),
            )
        terms = self._generator_terms(made, high)
        self._terms = {name: term.detach() for name, term in terms.items()}  # weighted
        yield "generator", torch.stack(list(terms.values())).sum()

    def _generator_terms(self, made: Tensor, high: Tensor) -> dict[str, Tensor]:
        config, terms = self.config, {}
        if config.pixel:
            loss = F.l1_loss if config.pixel_loss == "l1" else F.mse_loss
            terms["pixel"] = config.pixel * loss(made, high)
        if config.content:
            terms["content"] = config.content * self.content(made, high)
        if config.adversarial or config.matching:
            judged = self._judge(made)
            terms["adversarial"] = config.adversarial * NON_SATURATING.generator(judged.logits)
            if config.matching:
                with torch.no_grad():
                    target = self._judge(high).features
                terms["matching"] = config.matching * feature_l1(judged.features, target)
        return terms

    def content(self, made: Tensor, high: Tensor) -> Tensor:
        """The distance of two batches of images in the extractor's features (eq. 5), 0 for equal ones."""
        (extractor,) = self._extractor
        assert extractor is not None
        with torch.no_grad():
            wanted = extractor(high)
        features = extractor(made)
        if self.config.distance == "normalised":
            return normalised_l2(features, wanted)
        return self.config.feature_scale**2 * feature_l2(features, wanted)

    def _judge(self, image: Tensor) -> Scored:
        assert self.discriminator is not None
        scored: Scored = self.discriminator(image)
        return scored
