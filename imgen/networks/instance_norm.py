"""Instance normalisation whose statistics can come from elsewhere, and networks that are made of it.

Reference: Ulyanov et al. 2016, "Instance Normalization: The Missing Ingredient for Fast Stylization",
arXiv:1607.08022. Every channel of every image is brought to mean 0 and variance 1 over all places, so that
each output pixel depends on the whole image, and an image in tiles has as many statistics as tiles. Given
one set of statistics for all of them, what is left of the network has a finite receptive field.
"""

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.network import Network

EPSILON = 1e-5
"""Added to variances."""


class Statistics:
    """Hands out the statistics to normalise by, norm by norm in the order of use, and notes what it measures.

    Args:
        given: means and variances of the channels of all norms, 2 x S; None: those that all images have together.
    """

    def __init__(self, given: Tensor | None) -> None:
        self._given = given
        self._taken = 0
        self._measured: list[Tensor] = []

    def of(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance for the next norm, which was given ``x``, N x C x H x W: each C x 1 x 1."""
        mean = x.mean((0, 2, 3))
        measured = torch.stack([mean, (x - mean[:, None, None]).square().mean((0, 2, 3))])
        self._measured.append(measured)
        start, self._taken = self._taken, self._taken + x.shape[1]
        mean, variance = measured if self._given is None else self._given[:, start : self._taken]
        return mean[:, None, None], variance[:, None, None]

    @property
    def measured(self) -> Tensor:
        """The statistics of what each norm was given, over all images together: 2 x S."""
        return torch.cat(self._measured, 1)


class Normalised(nn.Module):
    """A module that normalises, by each image's own statistics or by those that it is handed."""

    @abstractmethod
    def forward(self, x: Tensor, statistics: Statistics | None = None) -> Tensor:
        """N x C x H x W to N x C' x H' x W'."""


class InstanceNorm(Normalised):
    """Without statistics ``nn.InstanceNorm2d``; ``affine`` is the learnt scale and offset of each channel."""

    def __init__(self, channels: int, affine: bool = False) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor, statistics: Statistics | None = None) -> Tensor:
        """N x C x H x W to the same shape."""
        if statistics is None:
            return self._own(x)
        mean, variance = statistics.of(x)
        x = (x - mean) * torch.rsqrt(variance + EPSILON)
        if self.weight is None or self.bias is None:
            return x
        return x * self.weight[:, None, None] + self.bias[:, None, None]

    def _own(self, x: Tensor) -> Tensor:
        if not self.training:
            return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=EPSILON)
        # Batch norm of one image is the same, and several times as fast with channels last, as training has them.
        images = [F.batch_norm(image, None, None, self.weight, self.bias, True, 0.0, EPSILON) for image in x.split(1)]
        return torch.cat(images) if len(images) > 1 else images[0]


class Row(Normalised):
    """Layers one after the other; those that normalise are handed the statistics."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor, statistics: Statistics | None = None) -> Tensor:
        """As its layers have it."""
        for layer in self.layers:
            x = layer(x, statistics) if isinstance(layer, Normalised) else layer(x)
        return x


class NormalisedNetwork(Network):
    """A network whose norms are all ``InstanceNorm``: N x C x H x W to N x C' x H x W, given statistics or not."""

    @abstractmethod
    def generate(self, image: Tensor, statistics: Statistics | None) -> Tensor:
        """The result, by each image's own statistics or by those handed out."""

    def forward(self, image: Tensor) -> Tensor:
        """The result, by each image's own statistics."""
        return self.generate(image, None)

    def frozen(self, image: Tensor, statistics: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The result by one set of statistics for all images, with those that were measured on the way.

        Args:
            image: as for ``forward``.
            statistics: means and variances, 2 x S, of the norms in the order of use; S is ``statistics_size``. None
                takes those that the images have together, which of a single one are its own.

        Returns:
            The result, and 2 x S: the statistics of what each norm was given, over all images together.
        """
        source = Statistics(statistics)
        return self.generate(image, source), source.measured

    @property
    def statistics_size(self) -> int:
        """The number of channels of all norms together."""
        return sum(module.channels for module in self.modules() if isinstance(module, InstanceNorm))
