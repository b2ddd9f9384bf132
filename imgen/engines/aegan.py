"""AEGAN: a plain auto-encoder, and a GAN that makes codes for its decoder.

Reference: Wang et al. 2018, an auto-encoder with a GAN in its latent space, presented at ACM
Multimedia. Reconstructed from a published summary, which has neither formulas nor sizes: what is
minimised here is our reading of it. Its claim: the blur of VAEs comes from the constraint on the
codes, not from the squared error. So nothing binds the codes; a mapper learns to draw from whatever
distribution they have, against a discriminator of codes and one of decoded images.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from imgen.data.batch import Batch
from imgen.engines.aae import code_discriminator
from imgen.engines.autoencoder import autoencoder_networks
from imgen.engines.engine import Engine, Player, Updates, to_unit
from imgen.engines.latent import optimise_latent
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING
from imgen.losses.matching import pair_l2
from imgen.networks import default
from imgen.networks.mapped import MappedDecoder
from imgen.networks.mlp import MLP
from imgen.networks.network import Network
from imgen.networks.scale import Shape


class AEGAN(Engine):
    """Encoder; mapper and decoder in a row (the product); discriminators of codes and of images."""

    @dataclass(frozen=True)
    class Config:
        """Sizes, rates, weights, order of events."""

        code: int = 64  # values in a code of the auto-encoder, and in the noise that is mapped to one
        width: int = 64
        learning_rate: float = 1e-3  # of the auto-encoder
        adversarial_rate: float = 2e-4  # of the mapper and the discriminators
        autoencoder_steps: int = 10_000  # the first stage: the auto-encoder alone, frozen afterwards
        joint: bool = False  # instead of two stages, everything in every step
        code_weight: float = 1.0  # of the discriminator of codes, in the mapper's loss
        image_weight: float = 1.0  # of the discriminator of images, there and in the decoder's
        train_decoder: bool = False  # by the discriminator of images, too; the auto-encoder then never freezes
        search_steps: int = 500  # of the search for the noise that gives an image
        search_restarts: int = 4

    config: Config

    def __init__(
        self, encoder: Network, generator: MappedDecoder, of_code: Network, of_image: Network, config: Config
    ) -> None:
        """The auto-encoder's halves, the second behind its mapper; the discriminators of codes and of images."""
        super().__init__()
        self.encoder, self.generator, self.config = encoder, generator, config
        self.code_discriminator, self.image_discriminator = of_code, of_image

    @classmethod
    def build(cls, shape: Shape, config: Config) -> Self:
        """The auto-encoder of the other methods, a dense mapper and discriminator of codes, DCGAN's of images."""
        encoder, decoder = autoencoder_networks(shape, config)
        mapper = MLP(MLP.Config(config.code, config.code, 8 * config.width, depth=4, norm="batch"))
        return cls(
            encoder,
            MappedDecoder.of(mapper, decoder),
            code_discriminator(config),
            default.discriminator(shape, width=config.width),
            config,
        )

    def check(self, steps: int) -> None:
        """Two stages need a run that is longer than the first; UsageError otherwise."""
        first = self.config.autoencoder_steps
        if not self.config.joint and steps <= first:
            raise UsageError(f"the mapper waits until step {first}: train for more steps, or lower autoencoder_steps")

    def players(self) -> dict[str, Player]:
        """The auto-encoder; the two discriminators; the mapper."""
        config, rate = self.config, self.config.adversarial_rate
        autoencoder = nn.ModuleList([self.encoder, self.generator.decoder])
        return {
            "autoencoder": Player(autoencoder, config.learning_rate, (0.9, 0.999)),
            "code_discriminator": Player(self.code_discriminator, rate),
            "image_discriminator": Player(self.image_discriminator, rate),
            "mapper": Player(self.generator.mapper, rate),
        }

    @property
    def product(self) -> Network:
        """Mapper and decoder."""
        return self.generator

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        """One batch: the auto-encoder while it learns; then the discriminators, then the mapper."""
        config, image = self.config, next(batches).image
        mapping = config.joint or t >= config.autoencoder_steps
        if config.joint or config.train_decoder or not mapping:
            yield "autoencoder", self._autoencoder_loss(image, mapping and config.train_decoder)
        if not mapping:
            return
        # To the GAN the auto-encoder is a fixed function: no batch statistics of made codes enter it.
        self._autoencoder(training=False)
        with torch.no_grad():
            code = self.encoder(image)
        self.generator.standardiser.update(code)
        real, made = self.generator.standardiser(code), self.generator.mapper(self.prior(len(image)))
        made_image = self._decode(made)
        of_code, of_image = self.code_discriminator, self.image_discriminator
        yield {
            "code_discriminator": NON_SATURATING.discriminator(of_code(real).logits, of_code(made.detach()).logits),
            "image_discriminator": NON_SATURATING.discriminator(
                of_image(image).logits, of_image(made_image.detach()).logits
            ),
        }
        by_code = NON_SATURATING.generator(of_code(made).logits)
        by_image = NON_SATURATING.generator(of_image(made_image).logits)
        yield "mapper", config.code_weight * by_code + config.image_weight * by_image

    def _autoencoder_loss(self, image: Tensor, adversary: bool) -> Tensor:
        """Half the squared error, and nothing on the codes; with the adversary of the decoder, if asked for."""
        self._autoencoder(training=True)
        loss = pair_l2(self.generator.decoder(self.encoder(image)), image)
        if adversary:
            self._autoencoder(training=False)
            made_image = self._decode(self.generator.mapper(self.prior(len(image))).detach())
            judged = self.image_discriminator(made_image).logits
            loss = loss + self.config.image_weight * NON_SATURATING.generator(judged)
        return loss

    def _autoencoder(self, *, training: bool) -> None:
        self.encoder.train(training)
        self.generator.decoder.train(training)

    def _decode(self, standard: Tensor) -> Tensor:
        return self.generator.decoder(self.generator.standardiser.restore(standard))

    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 to the noise that gives what is nearest to them, N x code: found by search, so slow."""
        del label
        steps, restarts = self.config.search_steps, self.config.search_restarts
        return optimise_latent(self.generator, image, self.prior, steps=steps, restarts=restarts)

    @torch.no_grad()
    def reconstruct(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 through the auto-encoder, in 0..1 (vectors as they are)."""
        del label
        return to_unit(self.generator.decoder(self.encoder(image)), self.generator)
