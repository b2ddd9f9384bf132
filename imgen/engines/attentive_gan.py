"""Dirt taken off a window or a lens by a network that first finds it: the attentive GAN.

Reference: Qian et al. 2018, "Attentive Generative Adversarial Network for Raindrop Removal from a Single
Image", arXiv:1711.10098, sec. 4. Without a discriminator and an extractor this is what two processor cores
can train: the map of attention and the image at three scales. Differs: the generator minimises -log D,
whose gradient stays where the discriminator is sure, instead of log(1 - D); the optimisers are Adam.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.lookup import find
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.matching import Extractor, feature_l2
from imgen.losses.reconstruction import log_l2, multiscale, visible_l2
from imgen.networks.attentive_discriminator import AttentiveDiscriminator
from imgen.networks.raindrops import RaindropRemover, Removal

PARTS = {
    "both": "all of it",
    "attend": "what finds; nothing is painted, and the map's is the only loss",
    "paint": "what paints, by the maps of the other, which stays as it is",
}
SCALES = (0.6, 0.8, 1.0)
"""Weights of the images at a quarter, at half and at full size: lambda of eq. 5."""

OPAQUE = (0.7, 0.95)
"""Shares of a place's light that come from dirt: up to the first the image shows through, beyond the second nothing."""
CLEAR = 0.05
"""Up to this share of the light there is none."""


class Views(NamedTuple):
    """A batch: images through dirty glass and without, N x 3 x H x W, and of the dirt, N x 1 x H x W; all in 0..1."""

    dirty: Tensor
    clean: Tensor
    mask: Tensor  # where it is
    covered: Tensor  # which share of the light comes from it


@dataclass(frozen=True)
class AttentiveGANConfig:
    """Weights of the losses; all are means over batch, channels and places, and 0 leaves a part out."""

    image: float = 1.0  # eq. 5, lambda times this
    logarithm: float = 0.0  # the same of the logarithm of each picture's error: the aim is PSNR, also of clean pictures
    visible: float = 0.0  # the error of the largest, by how much of it shows: most on what is plain
    opaque: float = 0.0  # of the share of the fill: it should be all of what lets nothing through, none of the rest
    attention: float = 1.0  # eq. 4
    theta: float = 0.8  # eq. 4: what a step's map counts by that of the next step
    part: str = "both"  # of the generator that learns; or attend, or paint: each takes half of the time
    forced: float = 0.0  # share of a batch of which the auto-encoder sees the true mask, not the map: teacher forcing
    perceptual: float = 1 / 255**2  # eq. 6, where features grow with levels of 0..255, as those of HED's VGG-16 do
    adversarial: float = 1e-2  # eq. 7
    map: float = 0.05  # eq. 8, gamma: the discriminator looks where the generator saw dirt
    learning_rate: float = 2e-4
    discriminator_rate: float = 1e-4
    beta1: float = 0.9

    def __post_init__(self) -> None:
        find(PARTS, self.part, "part")


class AttentiveGAN(Engine):
    """A generator that first finds the dirt, against a discriminator that looks at the same places.

    Args:
        generator: dirty images in 0..1 to clean ones; without steps it has no maps, and nothing is asked of them.
        discriminator: judges clean images in 0..1; None where nothing adversarial is asked for.
        extractor: images in 0..1 to features, named in the model's card; None where there is no perceptual loss.
        config: weights.

    Raises:
        UsageError: a weight is above 0 whose part is missing, or what is to learn is.
    """

    def __init__(
        self,
        generator: RaindropRemover,
        discriminator: AttentiveDiscriminator | None,
        extractor: Extractor | None,
        config: AttentiveGANConfig,
    ) -> None:
        super().__init__()
        if discriminator is None and config.adversarial:
            raise UsageError("adversarial wants a discriminator; set it to 0, or give one")
        if extractor is None and config.perceptual:
            raise UsageError("perceptual wants an extractor of features; set it to 0, or give one")
        if config.part == "attend" and not generator.config.steps:
            raise UsageError("a generator without steps has no maps to learn; set part to paint, or give it steps")
        self.generator, self.discriminator, self.config = generator, discriminator, config
        self._extractor = (extractor,)  # in a tuple: frozen, so no part of this engine's state

    def players(self) -> dict[str, Player]:
        """What learns of the generator, and the discriminator if there is one."""
        config, betas = self.config, (self.config.beta1, 0.999)
        learner = self.generator if config.part == "both" else self.generator.get_submodule(config.part)
        found = {"generator": Player(learner, config.learning_rate, betas)}
        if self.discriminator is not None:
            found["discriminator"] = Player(self.discriminator, config.discriminator_rate, betas)
        return found

    @property
    def product(self) -> RaindropRemover:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Views], t: int) -> Updates:
        """The discriminator first, then the generator, on one result (its graph stays valid in between)."""
        del t
        dirty, clean, mask, covered = next(batches)
        if self.config.part == "attend":
            terms = {"attention": self.config.attention * self.attention_loss(self.generator.find(dirty), mask)}
        else:
            if self.config.part == "paint" and self.generator.config.steps:
                self.generator.attend.eval()  # it learns nothing: its maps are those it gives in use
            made = self.generator.unroll(dirty, mask[: round(self.config.forced * len(mask))])
            if self.discriminator is not None:
                yield "discriminator", self._discriminator_loss(self.discriminator, made, clean)
            terms = self._generator_terms(made, clean, mask, covered)
        self._terms = {name: term.detach() for name, term in terms.items()}  # weighted
        yield "generator", torch.stack(list(terms.values())).sum()

    def _discriminator_loss(self, judge: AttentiveDiscriminator, made: Removal, clean: Tensor) -> Tensor:
        """Equations 8 and 9."""
        real, fake = judge(clean), judge(made.frames[-1].detach())
        loss = NON_SATURATING.discriminator(real.logits, fake.logits)
        if self.config.map and made.maps:
            found = F.mse_loss(fake.map, made.maps[-1].detach()) + real.map.square().mean()
            loss = loss + self.config.map * found
        return loss

    def _generator_terms(self, made: Removal, clean: Tensor, mask: Tensor, covered: Tensor) -> dict[str, Tensor]:
        """Equations 4 to 7."""
        config, (extractor,) = self.config, self._extractor
        terms = {}
        if config.image:
            terms["image"] = config.image * multiscale(made.frames, clean, SCALES)
        if config.logarithm:
            terms["logarithm"] = config.logarithm * multiscale(made.frames, clean, SCALES, log_l2)
        if config.visible:
            terms["visible"] = config.visible * visible_l2(made.frames[-1], clean)
        if config.opaque and made.filled is not None:
            terms["opaque"] = config.opaque * self.opacity_loss(made.filled, covered)
        if config.attention and made.maps and config.part == "both":
            terms["attention"] = config.attention * self.attention_loss(made.maps, mask)
        if config.perceptual:
            assert extractor is not None
            with torch.no_grad():
                wanted = extractor(clean)
            terms["perceptual"] = config.perceptual * feature_l2(extractor(made.frames[-1]), wanted)
        if config.adversarial:
            assert self.discriminator is not None
            judged = self.discriminator(made.frames[-1])
            terms["adversarial"] = config.adversarial * NON_SATURATING.generator(judged.logits)
        return terms

    @staticmethod
    def opacity_loss(filled: Tensor, covered: Tensor) -> Tensor:
        """The squared error of the share of the fill, N x 1 x H x W, where dirt is: all where nothing shows through."""
        low, high = OPAQUE
        wanted, dirt = ((covered - low) / (high - low)).clamp(0, 1), covered > CLEAR
        return ((filled - wanted).square() * dirt).sum() / dirt.sum().clamp(min=1)

    def attention_loss(self, maps: Sequence[Tensor], mask: Tensor) -> Tensor:
        """The squared error of each step's map, N x 1 x H x W, that of the last one counted in full (eq. 4)."""
        weights = [self.config.theta**left for left in reversed(range(len(maps)))]
        return torch.stack([w * F.mse_loss(each, mask) for w, each in zip(weights, maps, strict=True)]).sum()
