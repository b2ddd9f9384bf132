"""Wasserstein GAN with gradient penalty: the critic's slope is asked for, not its weights clipped.

Reference: Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", arXiv:1704.00028, algorithm 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from imgen.data.batch import Batch
from imgen.engines.engine import Player, Updates
from imgen.engines.wgan import WGAN
from imgen.errors import UsageError
from imgen.losses.adversarial import WASSERSTEIN
from imgen.losses.penalties import gradient_penalty
from imgen.networks.default import decoder, discriminator
from imgen.networks.network import Network
from imgen.networks.resnet import ResNetCritic, ResNetGenerator
from imgen.networks.scale import Shape


class WGANGP(WGAN):
    """A generator against a critic whose slope is held at 1 between real and fake samples."""

    @dataclass(frozen=True)
    class Config:
        """The defaults of algorithm 1; ``penalty`` is 0.1 for points in the plane in the authors' code."""

        code: int = 128
        width: int = 64
        residual: bool = False  # for images: the residual networks of appendix F in place of DCGAN's
        critic_norm: str = "none"  # or layer; batch norm would make a sample's slope depend on the others
        learning_rate: float = 1e-4
        critic_steps: int = 5
        penalty: float = 10.0  # lambda

    def __init__(self, generator: Network, critic: Network, config: Config) -> None:
        if any(isinstance(module, _BatchNorm) for module in critic.modules()):
            raise UsageError("the critic of WGAN-GP must have no batch norm, as slopes are penalised sample by sample")
        super().__init__(generator, critic, config)

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """DCGAN's or the residual networks for images, dense ones for vectors."""
        width, norm = config.width, config.critic_norm
        if config.residual:
            size, channels, cap = shape.size, shape.channels, 8 * width
            generator = ResNetGenerator(ResNetGenerator.Config(size, channels, config.code, width, cap))
            return cls(generator, ResNetCritic(ResNetCritic.Config(size, channels, width, cap, norm=norm)), config)
        return cls(decoder(shape, config.code, width=width), discriminator(shape, width=width, norm=norm), config)

    def players(self) -> dict[str, Player]:
        """Critic and generator by Adam; as in the authors' code, with momentum but for residual networks."""
        rate, betas = self.config.learning_rate, (0.0 if self.config.residual else 0.5, 0.9)
        return {"critic": Player(self.critic, rate, betas), "generator": Player(self.generator, rate, betas)}

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """``critic_steps`` of the critic, each on its own batch, then the generator once."""
        del t
        for _ in range(self.config.critic_steps):
            real = next(batches).image
            yield "critic", self.critic_loss(real, self.fake(len(real)))
        yield "generator", WASSERSTEIN.generator(self.critic(self.generator(self.prior(len(real)))).logits)

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Minus the critic's estimate of the distance, plus the penalty (eq. 3)."""
        distance = -super().critic_loss(real, fake)
        penalty = gradient_penalty(lambda x: self.critic(x).logits, real, fake)
        self._terms = {"distance": distance.detach(), "penalty": penalty.detach()}
        return self.config.penalty * penalty - distance
