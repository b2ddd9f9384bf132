"""The networks of IP-GAN as they are used: whose face, with what of another picture, and what is changed of both.

Reference: Bao et al. 2018, "Towards Open-Set Identity Preserving Face Synthesis", arXiv:1803.11182, fig. 2.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.networks.folding import fold
from imgen.networks.gaussian import gaussian
from imgen.networks.network import Network
from imgen.networks.recogniser import Recogniser


class FaceEditor(Network):
    """Aligned faces, N x C x S x S in 0..1, to a face, by way of two codes that can be kept, shifted or replaced.

    It is made of networks that have been trained, with their batch norms folded in, and is not trained itself.
    """

    @dataclass(frozen=True)
    class Config:
        """Sizes; the widths are those of each network's own config."""

        size: int = 128
        channels: int = 3
        identity: int = 128  # values of the code of who it is
        attributes: int = 128  # of the code of all else
        recogniser_width: int = 16
        encoder_width: int = 16
        generator_width: int = 32

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size, channels = config.size, config.channels
        self.recogniser = Recogniser(
            Recogniser.Config(size, channels, config.identity, config.recogniser_width, norm="none")
        )
        self.encoder = ConvEncoder(
            ConvEncoder.Config(
                size, channels, 2 * config.attributes, config.encoder_width, 8 * config.encoder_width, norm="none"
            )
        )
        code, width = config.identity + config.attributes, config.generator_width
        self.generator = ConvDecoder(ConvDecoder.Config(size, channels, code, width, 8 * width, norm="none"))

    @classmethod
    def of(cls, recogniser: Recogniser, encoder: ConvEncoder, generator: ConvDecoder) -> "FaceEditor":
        """The networks that an engine has trained, copied; it knows nobody by name."""
        first, second, third = recogniser.config, encoder.config, generator.config
        editor = cls(
            cls.Config(
                third.size, third.channels, first.code, second.outputs // 2, first.width, second.width, third.width
            )
        )
        fold(recogniser, editor.recogniser)
        fold(encoder, editor.encoder)
        fold(generator, editor.generator)
        return editor

    def forward(
        self, identity: Tensor, attributes: Tensor, keep: Tensor, shift: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """A face, and the codes of the two pictures.

        Args:
            identity: of whom, N x C x S x S in 0..1.
            attributes: in which pose, light and expression; the same.
            keep: N x 2: what of the identity code and of the attribute code is taken from the pictures, 0..1.
            shift: N x (identity + attributes): what is added to the codes after that.

        Returns:
            The face, N x C x S x S in 0..1; the identity code, of length sqrt D, and the attribute code, as seen.
        """
        who = self.recogniser.code(2 * identity - 1)
        what = gaussian(self.encoder(2 * attributes - 1)).mu
        code = torch.cat([keep[:, :1] * who, keep[:, 1:] * what], 1) + shift
        return (self.generator(code) + 1) / 2, who, what
