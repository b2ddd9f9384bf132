"""Image-to-image translation learnt from two sets of images, without pairs.

Reference: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", arXiv:1703.10593, sec. 3 and 4; the identity loss: sec. 5.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from imgen.engines.engine import Engine, Player, Updates, to_signed
from imgen.engines.pool import Pool
from imgen.losses.adversarial import LEAST_SQUARES
from imgen.losses.reconstruction import signed_l1
from imgen.networks.network import Network


class Domains(NamedTuple):
    """A batch: images of the one kind and of the other, which have nothing to do with each other; N x 3 x H x W."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class CycleGANConfig:
    """Weights of the losses, of images in -1..1, and the size of the pools."""

    cycle: float = 10.0  # eq. 3, lambda
    identity: float = 0.5  # sec. 5.2, as a share of the cycle's; 0 leaves it out
    pool: int = 50  # images that each discriminator is shown again; 0: only new ones
    learning_rate: float = 2e-4


class CycleGAN(Engine):
    """Two generators, each the other's inverse, and a discriminator for what each of them makes.

    Whatever goes through the same network goes through it in one batch; so no network may have batch norm.

    Args:
        x_to_y: images in 0..1 to such of the other kind: G of the paper.
        y_to_x: and back: F.
        judge_x: of images in -1..1, by ``Scored``: D_X.
        judge_y: D_Y.
        config: weights.
    """

    def __init__(
        self, x_to_y: Network, y_to_x: Network, judge_x: Network, judge_y: Network, config: CycleGANConfig
    ) -> None:
        super().__init__()
        self.x_to_y, self.y_to_x, self.judge_x, self.judge_y = x_to_y, y_to_x, judge_x, judge_y
        self.config = config
        self.pool_x, self.pool_y = Pool(config.pool), Pool(config.pool)

    def players(self) -> dict[str, Player]:
        """Both generators, and both discriminators: no loss needs a graph of its own for each of them."""
        rate = self.config.learning_rate
        return {
            "generators": Player(nn.ModuleList([self.x_to_y, self.y_to_x]), rate),
            "discriminators": Player(nn.ModuleList([self.judge_x, self.judge_y]), rate),
        }

    @property
    def product(self) -> Network:
        """From x to y; the way back is ``y_to_x``."""
        return self.x_to_y

    def step(self, batches: Iterator[Domains], t: int) -> Updates:
        """The generators first, then the discriminators, on what was just made or on older images."""
        del t
        x, y = next(batches)
        made_y, same_y = self._translate(self.x_to_y, x, y)
        made_x, same_x = self._translate(self.y_to_x, y, x)
        cycle = self.config.cycle
        terms = {
            "adversarial": self._fooled(self.judge_y, made_y) + self._fooled(self.judge_x, made_x),
            "cycle": cycle * (signed_l1(self.y_to_x(made_y), x) + signed_l1(self.x_to_y(made_x), y)),
        }
        if same_x is not None and same_y is not None:
            terms["identity"] = self.config.identity * cycle * (signed_l1(same_x, x) + signed_l1(same_y, y))
        self._terms = {name: term.detach() for name, term in terms.items()}  # weighted
        yield "generators", torch.stack(list(terms.values())).sum()
        old_x, old_y = self.pool_x.swap(made_x), self.pool_y.swap(made_y)
        told = self._told(self.judge_x, x, old_x) + self._told(self.judge_y, y, old_y)
        yield "discriminators", told / 2  # they learn at half the rate

    def _translate(self, generator: Network, image: Tensor, same: Tensor) -> tuple[Tensor, Tensor | None]:
        """An image translated, and one that is of the other kind already, if that is asked for: in one batch."""
        if not self.config.identity:
            return generator(image), None
        made: Tensor = generator(torch.cat([image, same]))
        return made[: len(image)], made[len(image) :]

    def _fooled(self, judge: Network, made: Tensor) -> Tensor:
        return LEAST_SQUARES.generator(judge(to_signed(made)).logits)

    def _told(self, judge: Network, real: Tensor, fake: Tensor) -> Tensor:
        """Equation 1 with squares (sec. 4), of both kinds in one batch."""
        scores = judge(to_signed(torch.cat([real, fake]))).logits
        return LEAST_SQUARES.discriminator(*scores.chunk(2))
