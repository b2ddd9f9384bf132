"""Supervised classification: the yardstick of conditional generators, and the judge in metrics of local data.

The discriminator of DCGAN (Radford et al. 2016, arXiv:1511.06434) with an output for each class, by cross entropy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.losses.likelihood import labelled_cross_entropy
from imgen.networks.default import discriminator
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class Classifier(Engine):
    """One network from images to class logits; data whose label is not known are passed over."""

    @dataclass(frozen=True)
    class Config:
        """Sizes and rates."""

        width: int = 32
        norm: str = "batch"
        learning_rate: float = 1e-3

    def __init__(self, network: Network, config: Config) -> None:
        super().__init__()
        self.network, self.config = network, config

    @classmethod
    def build(cls, shape: Shape, config: Config) -> Self:
        """A discriminator with as many outputs as there are classes.

        Raises:
            UsageError: there are fewer than 2.
        """
        if shape.classes < 2:
            raise UsageError(f"a classifier needs data of 2 or more classes, these have {shape.classes}")
        return cls(discriminator(shape, width=config.width, norm=config.norm, outputs=shape.classes), config)

    def players(self) -> dict[str, Player]:
        """The classifier."""
        return {"classifier": Player(self.network, self.config.learning_rate, (0.9, 0.999))}

    @property
    def product(self) -> Network:
        """The classifier, image to ``Scored``."""
        return self.network

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """Cross entropy of one batch."""
        del t
        image, label, _ = next(batches)
        logits, known = self.network(image).logits, label >= 0
        right = logits.argmax(1) == label
        self._terms = {"accuracy": right.sum() / known.sum().clamp(min=1)}
        yield "classifier", labelled_cross_entropy(logits, label)

    @torch.no_grad()
    def classify(self, image: Tensor) -> Tensor:
        """Images in -1..1 to probabilities, N x classes."""
        return self.network(image).logits.softmax(1)
