"""Generative adversarial networks, with the means by which they are kept stable.

Reference: Goodfellow et al. 2014, "Generative Adversarial Nets", arXiv:1406.2661, algorithm 1. Images get
the layers of DCGAN without its normalisation; ``dcgan`` adds that. Differs: Adam instead of momentum.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import UsageError
from imgen.lookup import find
from imgen.losses.adversarial import HINGE, LEAST_SQUARES, MINIMAX, NON_SATURATING
from imgen.losses.noise import instance_noise, linear_decay, noisy_labels
from imgen.losses.penalties import history_penalty
from imgen.networks.default import decoder, discriminator
from imgen.networks.network import Network
from imgen.networks.scale import Shape

LOSSES = {
    "non-saturating": NON_SATURATING,
    "minimax": MINIMAX,
    "least-squares": LEAST_SQUARES,
    "hinge": HINGE,
}


class GAN(Engine):
    """A generator against a discriminator; the same class trains DCGAN and LSGAN, by other defaults."""

    @dataclass(frozen=True)
    class Config:
        """The game and its stabilisers; noise on inputs and labels falls linearly to nothing over ``noise_steps``."""

        code: int = 100
        width: int = 64
        norm: str = "none"  # of both networks: none, batch or layer
        loss: str = "non-saturating"  # or minimax, least-squares, hinge
        learning_rate: float = 2e-4
        discriminator_steps: int = 1  # k of algorithm 1, each on its own batch
        generator_steps: int = 1  # on the same codes
        smooth: float = 1.0  # what the discriminator should say of data; 0.9 is one-sided label smoothing
        flip: float = 0.0  # chance, in the beginning, that a label is the wrong one, 0..1/2
        noise: float = 0.0  # deviation, in the beginning, of the noise added to real and fake alike
        noise_steps: int = 10_000
        history: float = 0.0  # weight of the squared change of the generator's images; 5 in its author's code
        history_every: int = 0  # compare with a copy taken every so many steps; 0: with the start of this step

        def __post_init__(self) -> None:
            if min(self.discriminator_steps, self.generator_steps) < 1:
                raise UsageError("discriminator_steps and generator_steps must be at least 1")
            if self.history and not self.history_every and self.generator_steps == 1:
                raise UsageError(
                    "history compares with the generator before this step, which has no effect on a single step; "
                    "set generator_steps to 2 or more, or history_every to 1 or more"
                )

    def __init__(self, generator: Network, discriminator: Network, config: Config) -> None:
        super().__init__()
        self.generator, self.discriminator, self.config = generator, discriminator, config
        self.adversarial = find(LOSSES, config.loss, "loss")
        lags = config.history and config.history_every
        self.past = copy.deepcopy(generator).requires_grad_(False) if lags else None

    @classmethod
    def build(cls, shape: Shape, config: Config) -> Self:
        """A decoder and a discriminator of the config's width and normalisation."""
        return cls(
            decoder(shape, config.code, width=config.width, norm=config.norm),
            discriminator(shape, width=config.width, norm=config.norm),
            config,
        )

    def players(self) -> dict[str, Player]:
        """The discriminator and the generator, at one learning rate."""
        rate = self.config.learning_rate
        return {"discriminator": Player(self.discriminator, rate), "generator": Player(self.generator, rate)}

    @property
    def product(self) -> Network:
        """The generator."""
        return self.generator

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """The discriminator's steps, each on its own batch, then the generator's on codes drawn once."""
        config = self.config
        strength = linear_decay(t, config.noise_steps)
        for _ in range(config.discriminator_steps):
            real = next(batches).image
            with torch.no_grad():
                fake = self.generator(self.prior(len(real)))
            labels = noisy_labels(len(real), config.smooth, config.flip * strength, device=real.device)
            scores = self._judge(real, strength), self._judge(fake, strength)
            yield "discriminator", self.adversarial.discriminator(*scores, labels=labels)

        code = self.prior(len(real))
        old = self._old_images(code)
        # The copy is to be one step behind, never the generator itself: there the penalty has no gradient.
        refresh = self.past is not None and t % config.history_every == 0
        before = copy.deepcopy(self.generator.state_dict()) if refresh else None
        for _ in range(config.generator_steps):
            fake = self.generator(code)
            loss = self.adversarial.generator(self._judge(fake, strength))
            yield "generator", loss if old is None else loss + config.history * history_penalty(fake, old)
        if self.past is not None and before is not None:
            self.past.load_state_dict(before)

    def _judge(self, image: Tensor, strength: float) -> Tensor:
        return self.discriminator(instance_noise(image, self.config.noise * strength)).logits

    @torch.no_grad()
    def _old_images(self, code: Tensor) -> Tensor | None:
        """What the history regulariser compares with (Su 2018, kexue.fm/archives/5716)."""
        if not self.config.history:
            return None
        return (self.past or self.generator)(code)
