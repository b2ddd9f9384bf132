"""Bidirectional GANs: ALI with an encoder that gives a point.

Reference: Donahue et al. 2017, "Adversarial Feature Learning", arXiv:1605.09782, sec. 3.
"""

from dataclasses import dataclass

from imgen.engines.ali import ALI


class BiGAN(ALI):
    """ALI whose encoder is deterministic: at the optimum it inverts the decoder."""

    @dataclass(frozen=True)
    class Config(ALI.Config):
        """As of ALI; code and rate of the paper's experiments on images (sec. 4)."""

        code: int = 200
        stochastic: bool = False
        learning_rate: float = 2e-4
