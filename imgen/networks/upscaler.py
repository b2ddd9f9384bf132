"""The network of the built-in upscalers: plain convolutions at low resolution, so that any CPU is quick with it.

As in ESPCN (Shi et al. 2016, arXiv:1609.05158) all work is done before the pixel shuffle. The body is a
row of 3 x 3 convolutions with ReLU, begun as identities: a residual connection that costs nothing, which is
what re-parameterisation comes to for a layer without normalisation. (Layers trained as products of two and
collapsed afterwards, arXiv:2103.09404, learnt no faster here: 28.65 dB on Set5 after 400 steps, either way.)
What the body adds to is a 5 x 5 convolution of the image, begun as bicubic interpolation, so that an
untrained network upscales bicubically.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.networks.network import Network


class Upscaler(Network):
    """N x 3 x H x W in 0..1 to N x 3 x scale*H x scale*W, about 0..1; any H and W, a finite receptive field."""

    @dataclass(frozen=True)
    class Config:
        """Sizes."""

        scale: int = 4
        width: int = 64  # a multiple of 16: what vector units and the blocked layout of onnxruntime like
        depth: int = 8  # convolutions between the first and the last

    def __init__(self, config: Config = Config()) -> None:
        super().__init__()
        self.config = config
        out = 3 * config.scale**2
        self.enter = nn.Conv2d(3, config.width, 3, padding=1)
        self.body = nn.ModuleList(nn.Conv2d(config.width, config.width, 3, padding=1) for _ in range(config.depth))
        self.leave = nn.Conv2d(config.width, out, 3, padding=1)
        self.interpolate = nn.Conv2d(3, out, 5)
        with torch.no_grad():
            for layer in self.body:
                assert isinstance(layer, nn.Conv2d)
                nn.init.dirac_(layer.weight)
                layer.weight += 0.3 * torch.randn_like(layer.weight) / (9 * config.width) ** 0.5
            for layer in (*self.body, self.leave, self.interpolate):
                assert isinstance(layer, nn.Conv2d)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
            nn.init.zeros_(self.leave.weight)
            self.interpolate.weight.copy_(bicubic_kernel(config.scale))

    @property
    def radius(self) -> int:
        """How many input pixels beyond its own an output pixel depends on."""
        return self.config.depth + 2

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        x = F.relu(self.enter(image))
        for layer in self.body:
            x = F.relu(layer(x))
        base = self.interpolate(F.pad(image, (2, 2, 2, 2), mode="replicate"))
        return F.pixel_shuffle(self.leave(x) + base, self.config.scale)


def bicubic_kernel(scale: int) -> Tensor:
    """Bicubic interpolation (Keys 1981, a = -1/2) by a convolution: 3*scale^2 x 3 x 5 x 5, for a pixel shuffle."""
    phase = (torch.arange(scale) + 0.5) / scale - 0.5  # of each new pixel, from the centre of its old one
    taps = _cubic(phase[:, None] - torch.arange(-2, 3))  # scale x 5
    kernel = torch.einsum("ia,jb->ijab", taps, taps).reshape(scale**2, 5, 5)
    result = torch.zeros(3, scale**2, 3, 5, 5)
    for channel in range(3):
        result[channel, :, channel] = kernel
    return result.reshape(3 * scale**2, 3, 5, 5)


def _cubic(x: Tensor) -> Tensor:
    x = x.abs()
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))
