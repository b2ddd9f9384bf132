"""The mean features of each class, averaged over batches, where a batch holds few samples of a class."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Centres(NamedTuple):
    """Class centres, K x D, and which of them the batch has a sample of, K bool."""

    values: Tensor
    present: Tensor


class ClassCentres(nn.Module):
    """Moving averages of class means; buffers, so that checkpoints hold them.

    Bao et al. 2017, "CVAE-GAN", arXiv:1703.10155, sec. 3. The value is the average's, the gradient
    that of the batch's mean alone (straight-through): differentiating the average itself would
    scale it down by 1 - decay.

    Args:
        classes: K.
        dim: D.
        decay: of the average, a batch.
        earlier: give the averages before the batch instead of after it: then no sample is drawn to a centre that it is
            itself a part of, which would make the samples of a class alike.
    """

    values: Tensor
    seen: Tensor

    def __init__(self, classes: int, dim: int, decay: float = 0.9, *, earlier: bool = False) -> None:
        super().__init__()
        self.decay = decay
        self.earlier = earlier
        self.register_buffer("values", torch.zeros(classes, dim))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))

    def forward(self, features: Tensor, label: Tensor) -> Centres:
        """Take in a batch and give the centres after it, or before.

        Args:
            features: N x D.
            label: N int64; samples of -1 (unknown) are left out.
        """
        member = (label == torch.arange(len(self.seen), device=label.device)[:, None]).to(features.dtype)  # K x N
        count = member.sum(1, keepdim=True)
        mean = member @ features / count.clamp(min=1)
        present = count > 0  # K x 1
        with torch.no_grad():
            # The first mean of a class is its centre: an average from zero would be too small for long.
            moved = torch.where(self.seen[:, None], torch.lerp(mean.to(self.values), self.values, self.decay), mean)
            before = torch.where(self.seen[:, None], self.values, moved)
            self.values.copy_(torch.where(present, moved, self.values))
            self.seen |= present[:, 0]
            values = before if self.earlier else self.values
        return Centres(values + torch.where(present, mean - mean.detach(), 0), present[:, 0])


def centre_match(centres: Centres, target: Centres) -> Tensor:
    """Half the squared distances of the centres of classes that both batches have, summed; the target is a constant.

    Bao et al. 2017, arXiv:1703.10155, sec. 3.
    """
    both = (centres.present & target.present)[:, None]
    return torch.where(both, centres.values - target.values.detach(), 0).square().sum() / 2
