"""The discriminator of pairs (datum, code) of ALI and BiGAN.

Reference: Dumoulin et al. 2017, "Adversarially Learned Inference", arXiv:1606.00704, appendix A: one
branch for the datum, one for the code, one for both; dropout keeps it from overpowering the others.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from imgen.networks.conv import Descent
from imgen.networks.layers import initialise_dcgan
from imgen.networks.mlp import Hidden
from imgen.networks.network import Network, Scored


class JointDiscriminator(Network):
    """Datum (image, N x C x S x S, or with size 0 a vector, N x C) and code, N x Z, to N x 1 logits."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; the branches end in ``cap`` values each and meet in two layers of twice as many."""

        size: int
        channels: int
        code: int
        width: int = 64
        cap: int = 512
        norm: str = "none"  # of the image's branch: "batch", "layer" or "none"
        dropout: float = 0.2

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        cap, dropout = config.cap, config.dropout
        if config.size:
            self.descent = Descent(config.size, config.channels, config.width, cap, 0, config.norm, dropout)
            self.flat = nn.Sequential(nn.Conv2d(self.descent.channels, cap, 4), nn.LeakyReLU(0.2), nn.Flatten())
            initialise_dcgan(self)
        else:
            self.vector = Hidden(config.channels, cap, 2, "leaky", "none", dropout)
        self.code = Hidden(config.code, cap, 2, "leaky", "none", dropout)
        self.both = Hidden(2 * cap, 2 * cap, 2, "leaky", "none", dropout)
        self.score = nn.Linear(2 * cap, 1)

    def forward(self, datum: Tensor, code: Tensor) -> Scored:
        """A pair to its logit; the features are those of the two layers that see both."""
        seen = self.flat(self.descent(datum, None)[-1]) if self.config.size else self.vector(datum)[-1]
        features = self.both(torch.cat([seen, self.code(code)[-1]], 1))
        return Scored(self.score(features[-1]), features)
