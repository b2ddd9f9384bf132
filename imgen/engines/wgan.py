"""Wasserstein GAN: the critic estimates a distance that falls smoothly as the generator gets nearer.

Reference: Arjovsky et al. 2017, "Wasserstein GAN", arXiv:1701.07875, algorithm 1, with the schedule of
the authors' code for the number of critic steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.losses.adversarial import WASSERSTEIN
from imgen.networks.default import decoder, discriminator
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class WGAN(Engine):
    """A generator against a critic whose weights are clipped, which keeps its slope bounded."""

    @dataclass(frozen=True)
    class Config:
        """The defaults of algorithm 1."""

        code: int = 100
        width: int = 64
        norm: str = "batch"  # of both networks: none, batch or layer
        learning_rate: float = 5e-5
        critic_steps: int = 5
        clip: float = 0.01  # c: largest magnitude of the critic's weights

    def __init__(self, generator: Network, critic: Network, config: Any) -> None:
        super().__init__()
        self.generator, self.critic, self.config = generator, critic, config

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """A decoder and a critic of the config's width and normalisation."""
        return cls(
            decoder(shape, config.code, width=config.width, norm=config.norm),
            discriminator(shape, width=config.width, norm=config.norm),
            config,
        )

    def players(self) -> dict[str, Player]:
        """Critic and generator by RMSProp: momentum destabilises a critic that is clipped (sec. 3)."""
        rate = self.config.learning_rate
        return {
            "critic": Player(self.critic, rate, optimizer="rmsprop"),
            "generator": Player(self.generator, rate, optimizer="rmsprop"),
        }

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """The critic to near its optimum, then the generator once."""
        for _ in range(critic_steps(t, self.config.critic_steps)):
            real = next(batches).image
            yield "critic", self.critic_loss(real, self.fake(len(real)))
            self.clip()
        yield "generator", WASSERSTEIN.generator(self.critic(self.generator(self.prior(len(real)))).logits)

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the critic's estimate of the distance, up to its Lipschitz constant (eq. 2)."""
        return WASSERSTEIN.discriminator(self.critic(real).logits, self.critic(fake).logits)

    @torch.no_grad()
    def fake(self, n: int) -> Tensor:
        """New samples for the critic, in the generator's range."""
        return self.generator(self.prior(n))

    @torch.no_grad()
    def clip(self) -> None:
        """Bring every weight of the critic back to -c..c."""
        c = self.config.clip
        for parameter in self.critic.parameters():
            parameter.clamp_(-c, c)


def critic_steps(t: int, usual: int) -> int:
    """How many times the critic is updated in step ``t``: 100 in the first 25 and in every 500th."""
    return 100 if t < 25 or t % 500 == 0 else usual
