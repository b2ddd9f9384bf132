"""Encoder and decoder in one: an image and its class to what the decoder makes of the image's code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from imgen.networks.conv import ConvDecoder, ConvEncoder
from imgen.networks.network import Network

GREY = (0.299, 0.587, 0.114)
"""What red, green and blue add to grey: ITU-R BT.601."""


class ConditionalAutoencoder(Network):
    """Image, N x 3 x S x S in 0..1, and its class to the reconstruction, of the same shape and range.

    The class is N int64, or weights of the classes, N x K, one-hot where it is certain. What was trained on grey images
    sees the image's grey values and gives grey ones.
    """

    @dataclass(frozen=True)
    class Config:
        """The configs of the two networks, as JSON-ready values."""

        encoder: Mapping[
            str, Any
        ]  # of a ConvEncoder; twice as many outputs as the code has values: the first are means
        decoder: Mapping[str, Any]  # of a ConvDecoder

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder = ConvEncoder(ConvEncoder.Config(**config.encoder))
        self.decoder = ConvDecoder(ConvDecoder.Config(**config.decoder))

    @classmethod
    def of(cls, encoder: ConvEncoder, decoder: ConvDecoder) -> Self:
        """The two networks in a row: these very ones, no copies."""
        joined = cls(cls.Config(encoder.config_dict(), decoder.config_dict()))
        joined.encoder, joined.decoder = encoder, decoder
        return joined

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """By the mean of the code's posterior, where the encoder gives one."""
        grey = self.encoder.config.channels == 1
        if grey:
            image = (image * torch.tensor(GREY).to(image)[:, None, None]).sum(1, keepdim=True)
        code = self.encoder(2 * image - 1, label)[:, : self.decoder.config.code]
        made: Tensor = self.decoder(code, label)
        if self.decoder.range == "signed":
            made = (made + 1) / 2
        return made.expand(-1, 3, -1, -1) if grey else made
