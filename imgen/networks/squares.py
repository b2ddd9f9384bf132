"""Convolutions on squares of pixels in place of pixels."""

from torch import Tensor, nn

SLOPE = 0.1
"""Of a leaky ReLU below 0: by a plain one, and Adam, whole layers died, and a path with them."""


class Block(nn.Module):
    """A residual one, which does nothing to begin with."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width, dilation=dilation), nothing(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The shape stays as it is."""
        result: Tensor = x + self.second(self.first(x))
        return result


def nothing(before: int, after: int) -> nn.Conv2d:
    """A convolution that gives zeros until it has learnt."""
    layer = nn.Conv2d(before, after, 3, padding=1)
    assert layer.bias is not None
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def convolution(before: int, after: int, kernel: int = 3, stride: int = 1, *, dilation: int = 1) -> nn.Sequential:
    """And a leaky ReLU; the size stays, but for the stride."""
    padding = kernel // 2 * dilation
    layer = nn.Conv2d(before, after, kernel, stride, padding, dilation)
    nn.init.kaiming_normal_(layer.weight, SLOPE, nonlinearity="leaky_relu")
    return nn.Sequential(layer, nn.LeakyReLU(SLOPE))
