"""Two-player losses, as pairs of functions of logits, each to be minimised by its player."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F


class Adversarial(NamedTuple):
    """A loss for each player."""

    discriminator: Callable[[Tensor, Tensor], Tensor]  # of the logits of real and of fake
    generator: Callable[[Tensor], Tensor]  # of the logits of fake


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Lim & Ye 2017, "Geometric GAN", arXiv:1705.02894, eq. 15: mean relu(1 - real) + mean relu(1 + fake)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    """Lim & Ye 2017, arXiv:1705.02894, eq. 16: - mean fake."""
    return -fake.mean()


HINGE = Adversarial(hinge_discriminator, hinge_generator)
