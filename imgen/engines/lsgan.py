"""Least squares GANs: samples are drawn to the data even where the discriminator is already sure of them.

Reference: Mao et al. 2017, "Least Squares Generative Adversarial Networks", arXiv:1611.04076, eq. 9.
"""

from dataclasses import dataclass

from imgen.engines.dcgan import DCGAN


class LSGAN(DCGAN):
    """DCGAN with squared distances of the scores from 1 (real) and 0 (fake) in place of log-likelihoods."""

    @dataclass(frozen=True)
    class Config(DCGAN.Config):
        """As of the GAN."""

        loss: str = "least-squares"
