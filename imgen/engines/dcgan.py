"""Deep convolutional GANs.

Reference: Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", arXiv:1511.06434, sec. 3 and 4.
"""

from dataclasses import dataclass

from imgen.engines.gan import GAN


class DCGAN(GAN):
    """A GAN with batch norm in all layers but the generator's last and the discriminator's first."""

    @dataclass(frozen=True)
    class Config(GAN.Config):
        """As of the GAN."""

        norm: str = "batch"
