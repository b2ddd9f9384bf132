"""The VAE of data with labels: encoder and decoder are told the label, so the code holds the rest.

Reference: Sohn et al. 2015, "Learning Structured Output Representation using Deep Conditional
Generative Models", NeurIPS; as Kingma et al. 2014, arXiv:1406.5298, M2, with the prior N(0, 1).
"""

from typing import Any, Self

import torch
from torch import Tensor

from imgen.engines.vae import VAE
from imgen.errors import UsageError
from imgen.networks.scale import Shape


class ConditionalVAE(VAE):
    """A VAE whose networks are given the label."""

    conditional = True

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """The default networks, with labels.

        Raises:
            UsageError: the data have no labels.
        """
        if not shape.classes:
            raise UsageError("conditional-vae needs labelled data: sub-folders by class, or a CSV; or train vae")
        return super().build(shape, config)

    @torch.no_grad()
    def sample(self, n: int, label: Tensor | None = None) -> Tensor:
        """``n`` new images of these labels, N, or of labels drawn at random."""
        if label is None:
            label = torch.randint(self.decoder.config.classes, (n,), device=self.device)
        return super().sample(n, label)
