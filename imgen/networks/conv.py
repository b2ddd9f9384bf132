"""The convolutional networks of DCGAN at any power-of-two size: encoder, decoder, discriminator.

Reference: Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", arXiv:1511.06434, sec. 3 and fig. 1, in the form of its PyTorch code
(kernels of 4, stride 2). Strided convolutions alone, no pooling, no hidden dense layer; no
normalisation in the decoder's last layer and in the first one of the others. Labels: appended to the
code, or as constant maps where the image has become 4 x 4, read by one more convolution (Zhang et al.
2017, StackGAN, arXiv:1612.03242, sec. 3): without it score and match could only be added.
"""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from imgen.networks.layers import OutputNetwork, activation, initialise_dcgan, norm, output, with_label
from imgen.networks.network import Network, Scored
from imgen.networks.scale import stages, width_at


class Descent(nn.Module):
    """Halve an image down to 4 x 4, keeping what is seen on the way; the label joins at the end."""

    def __init__(  # noqa: PLR0917 (the fields of the configs that share it)
        self, size: int, channels: int, width: int, cap: int, classes: int, norm_name: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.classes = classes
        widths = [channels, *(width_at(size >> i, size, width, cap) for i in range(1, stages(size) + 1))]
        self.levels = nn.ModuleList(
            _level(nn.Conv2d, before, after, 4, 2, norm_name if i else "none", dropout)
            for i, (before, after) in enumerate(pairwise(widths))
        )
        self.channels = widths[-1]  # of the 4 x 4 map it ends in
        if classes:
            self.mix = _level(nn.Conv2d, self.channels + classes, self.channels, 3, 1, norm_name, dropout)

    def forward(self, image: Tensor, label: Tensor | None) -> list[Tensor]:
        """N x C x S x S to one map a level, the last one 4 x 4."""
        features: list[Tensor] = []
        for level in self.levels:
            image = level(image)
            features.append(image)
        if self.classes:
            features[-1] = self.mix(with_label(image, label, self.classes))
        return features


class ConvEncoder(Network):
    """Image, N x C x S x S (and label, N), to N x outputs."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; ``norm`` is "batch", "layer" or "none"."""

        size: int
        channels: int
        outputs: int
        width: int = 64
        cap: int = 512
        classes: int = 0
        norm: str = "batch"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.descent = Descent(config.size, config.channels, config.width, config.cap, config.classes, config.norm)
        self.out = nn.Conv2d(self.descent.channels, config.outputs, 4)
        initialise_dcgan(self)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Image to the numbers that stand for it."""
        return self.out(self.descent(image, label)[-1]).flatten(1)


class ConvDiscriminator(Network):
    """Image, N x C x S x S (and label, N), to N x outputs logits and one feature map a level."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; ``norm`` is "batch", or where samples must not see each other "layer" or "none"."""

        size: int
        channels: int
        width: int = 64
        cap: int = 512
        classes: int = 0
        norm: str = "batch"
        outputs: int = 1
        dropout: float = 0.0  # share of the activations zeroed after each level

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.descent = Descent(
            config.size, config.channels, config.width, config.cap, config.classes, config.norm, config.dropout
        )
        self.score = nn.Conv2d(self.descent.channels, config.outputs, 4)
        initialise_dcgan(self)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Scored:
        """Image to logits and features."""
        features = self.descent(image, label)
        return Scored(self.score(features[-1]).flatten(1), features)


class ConvDecoder(OutputNetwork):
    """Code, N x Z (and label, N), to an image, N x C x S x S."""

    @dataclass(frozen=True)
    class Config:
        """Sizes; ``norm`` is "batch", "layer" or "none"; ``output`` is "tanh", "sigmoid" or "linear"."""

        size: int
        channels: int
        code: int
        width: int = 64
        cap: int = 512
        classes: int = 0
        norm: str = "batch"
        output: str = "tanh"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        size = config.size
        widths = [width_at(size >> i, size, config.width, config.cap) for i in range(stages(size), 0, -1)]
        self.enter = _level(nn.ConvTranspose2d, config.code + config.classes, widths[0], 4, 1, config.norm, up=True)
        self.levels = nn.Sequential(
            *(_level(nn.ConvTranspose2d, a, b, 4, 2, config.norm, up=True) for a, b in pairwise(widths))
        )
        self.last = nn.ConvTranspose2d(widths[-1], config.channels, 4, 2, 1)
        self.output = output(config.output)
        initialise_dcgan(self)

    def logits(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        """The image before the output function."""
        code = with_label(code, label, self.config.classes)
        return self.last(self.levels(self.enter(code[:, :, None, None])))


def _level(  # noqa: PLR0917
    kind: type[nn.Conv2d] | type[nn.ConvTranspose2d],
    before: int,
    after: int,
    kernel: int,
    stride: int,
    norm_name: str,
    dropout: float = 0.0,
    *,
    up: bool = False,
) -> nn.Sequential:
    """Convolution, normalisation, activation (rectified on the way up, leaky on the way down), dropout."""
    padding = 0 if up and stride == 1 else 1  # the decoder's first layer makes 4 x 4 out of 1 x 1
    parts = [
        kind(before, after, kernel, stride, padding, bias=norm_name == "none"),
        norm(norm_name, after),
        activation("relu" if up else "leaky"),
    ]
    return nn.Sequential(*parts, nn.Dropout(dropout)) if dropout else nn.Sequential(*parts)
