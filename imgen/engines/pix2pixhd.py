"""Photographs of label maps, at high resolution and in several styles.

Reference: Wang et al. 2018, "High-Resolution Image Synthesis and Semantic Manipulation with Conditional
GANs", arXiv:1711.11585, sec. 3; the weights as in the authors' description. Large images are learnt in two
runs: ``TranslationResNet`` at half the size, then ``LocalEnhancer``, which begins with its weights.
Differs: the styles of a class are the means of a mixture of spherical Gaussians, instead of K-means.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from imgen.engines.engine import Engine, Player, Updates, to_signed
from imgen.engines.gmm import fit
from imgen.errors import UsageError
from imgen.losses.adversarial import LEAST_SQUARES
from imgen.losses.matching import Extractor, feature_l1
from imgen.networks.network import Network, Scored
from imgen.networks.pix2pixhd import LocalEnhancer, MultiscaleDiscriminator, instance_mean

LEVELS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Weights of an extractor's levels, from fine to coarse."""


class Scenes(NamedTuple):
    """A batch: label maps and the photographs of what they show."""

    labels: Tensor  # N x classes x H x W, one-hot
    boundaries: Tensor  # N x 1 x H x W: 1 where an instance ends
    instances: Tensor  # N x 1 x H x W int64: their numbers, each image's for itself
    photo: Tensor  # N x 3 x H x W in 0..1


@dataclass(frozen=True)
class Pix2PixHDConfig:
    """Weights of the losses; 0 leaves a part out."""

    matching: float = 10.0  # eq. 5: features of the discriminators, the mean of the scales
    perceptual: float = 10.0  # features of an extractor for which images have a deviation of about 1
    held_steps: int = 0  # at first, in which the coarse generator of a LocalEnhancer stays as it is
    learning_rate: float = 2e-4


class Pix2PixHD(Engine):
    """A generator against discriminators of several scales, held to the photograph by features.

    Args:
        generator: labels, boundaries and the encoder's features if there is one, N x (classes + 1 + features) x
            H x W in 0..1, to photographs.
        discriminator: judges labels, boundaries and photographs, N x (classes + 1 + 3) x H x W in -1..1.
        encoder: photographs to features, N x features x H x W in 0..1, of which each instance gets the mean;
            None for one result only.
        extractor: images in 0..1 to five levels of features, named in the model's card; None where there is no
            perceptual loss.
        config: weights.

    Raises:
        UsageError: a perceptual loss is asked for, and there is no extractor.
    """

    def __init__(
        self,
        generator: Network,
        discriminator: MultiscaleDiscriminator,
        encoder: Network | None,
        extractor: Extractor | None,
        config: Pix2PixHDConfig,
    ) -> None:
        super().__init__()
        if extractor is None and config.perceptual:
            raise UsageError("perceptual wants an extractor of features; set it to 0, or give one")
        self.generator, self.discriminator, self.encoder, self.config = generator, discriminator, encoder, config
        self._extractor = (extractor,)  # in a tuple: frozen, so no part of this engine's state

    def players(self) -> dict[str, Player]:
        """The generator, together with the encoder if there is one, and the discriminators."""
        rate = self.config.learning_rate
        made_by = nn.ModuleList([self.generator] if self.encoder is None else [self.generator, self.encoder])
        return {"generator": Player(made_by, rate), "discriminator": Player(self.discriminator, rate)}

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Scenes], t: int) -> Updates:
        """Both players from one graph: what is judged is judged once."""
        scenes = next(batches)
        if isinstance(self.generator, LocalEnhancer):
            self.generator.held = t < self.config.held_steps
        made: Tensor = self.generator(self.condition(scenes))
        real, fake = self._judge(scenes, scenes.photo), self._judge(scenes, made)
        terms = {"adversarial": LEAST_SQUARES.generator(_logits(fake))}
        if self.config.matching:
            terms["matching"] = self.config.matching * matching_loss(fake, real)
        if self.config.perceptual:
            terms["perceptual"] = self.config.perceptual * self.perceptual_loss(made, scenes.photo)
        self._terms = {name: term.detach() for name, term in terms.items()}  # weighted
        yield {
            "generator": torch.stack(list(terms.values())).sum(),
            "discriminator": LEAST_SQUARES.discriminator(_logits(real), _logits(fake)) / 2,
        }

    def condition(self, scenes: Scenes) -> Tensor:
        """What the generator is given: labels, boundaries and features."""
        parts = [scenes.labels, scenes.boundaries]
        if self.encoder is not None:
            parts.append(instance_mean(self.encoder(scenes.photo), scenes.instances))
        return torch.cat(parts, 1)

    def perceptual_loss(self, made: Tensor, photo: Tensor) -> Tensor:
        """The distance of two batches of images in the extractor's features, coarse ones counting most."""
        (extractor,) = self._extractor
        assert extractor is not None
        with torch.no_grad():
            wanted = extractor(photo)
        pairs = zip(LEVELS, extractor(made), wanted, strict=True)
        return torch.stack([weight * feature_l1([a], [b]) for weight, a, b in pairs]).sum()

    @torch.no_grad()
    def styles(self, scenes: Iterable[Scenes], number: int = 10) -> list[Tensor]:
        """Features to choose from in place of a photograph's (sec. 3.4), found in scenes.

        Args:
            scenes: batches of which every instance counts as one.
            number: how many a class gets at most.

        Returns:
            For each class K x features, the commonest first; for a class that is not there grey, 0.5.

        Raises:
            UsageError: there is no encoder.
        """
        if self.encoder is None:
            raise UsageError("without an encoder there is one style only; give it one, and train it")
        found: defaultdict[int, list[Tensor]] = defaultdict(list)
        for batch in scenes:
            features = instance_mean(self.encoder(batch.photo), batch.instances)
            for each, label, instances in zip(features, batch.labels.argmax(1), batch.instances, strict=True):
                for instance in instances.unique():
                    _, row, column = (instances == instance).nonzero()[0]
                    found[int(label[row, column])].append(each[:, row, column])
        classes = batch.labels.shape[1]
        grey = torch.full((1, features.shape[1]), 0.5, device=features.device)
        return [_clusters(torch.stack(found[i]), number) if i in found else grey for i in range(classes)]

    def _judge(self, scenes: Scenes, image: Tensor) -> list[Scored]:
        return self.discriminator(to_signed(torch.cat([scenes.labels, scenes.boundaries, image], 1)))


def matching_loss(fake: Sequence[Scored], real: Sequence[Scored]) -> Tensor:
    """Eq. 4: mean absolute differences, summed over the levels of a discriminator; the mean over the discriminators."""
    pairs = [(a.features, b.features) for a, b in zip(fake, real, strict=True)]
    return torch.stack([len(a) * feature_l1(a, b) for a, b in pairs]).mean()


def _logits(scored: Sequence[Scored]) -> list[Tensor]:
    return [each.logits for each in scored]


def _clusters(rows: Tensor, number: int) -> Tensor:
    """The centres of groups of rows, the largest group first."""
    mixture = fit(rows, min(number, len(rows)), "spherical").mixture
    return mixture.means[mixture.weights.argsort(descending=True)].float()
