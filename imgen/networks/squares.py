"""Convolutions on squares of pixels in place of pixels, and on squares of half their side beside them."""

from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.1
"""Of a leaky ReLU below 0: by a plain one, and Adam, whole layers died, and a path with them."""


class Halves(nn.Module):
    """Squares of half the side of others, into those and back.

    Each place in a square has weights of its own, so an edge is learnt as many times as there are places: fewer here.
    To begin with it has no effect.

    Args:
        before: channels of the image.
        width: channels here.
        squares: the others' side in pixels; of 1 the half is 1, too.
        inside: channels of the others, to begin with.
        outside: channels of the others, in the end.
        after: channels of the result.
    """

    def __init__(self, before: int, width: int, squares: int, *, inside: int, outside: int, after: int) -> None:
        super().__init__()
        self.side = max(1, squares // 2)
        self.into = squares // self.side
        self.enter = nn.Sequential(convolution(before * self.side**2, width, slope=SLOPE), Block(width, SLOPE))
        self.gather = nothing(width, inside, self.into)
        self.spread = nn.Conv2d(outside, width * self.into**2, 1)
        self.leave = nothing(width, after * self.side**2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features of an image, N x before x H x W, and what the others are given of them, N x inside."""
        features: Tensor = self.enter(F.pixel_unshuffle(image, self.side))
        return features, self.gather(features)

    def tell(self, features: Tensor, squares: Tensor) -> Tensor:
        """Values of pixels, N x after x H x W, by these features and those of the others."""
        x = F.leaky_relu(features + F.pixel_shuffle(self.spread(squares), self.into), SLOPE)
        return F.pixel_shuffle(self.leave(x), self.side)


class Block(nn.Module):
    """A residual one, which does nothing to begin with; ``slope`` is that of its ReLUs below 0."""

    def __init__(self, width: int, slope: float = 0.0) -> None:
        super().__init__()
        self.first, self.second, self.slope = convolution(width, width, slope=slope), nothing(width, width), slope

    def forward(self, x: Tensor) -> Tensor:
        """The shape stays as it is."""
        return F.leaky_relu(x + self.second(self.first(x)), self.slope)


def enter(layers: nn.Sequential, squares: Tensor, gathered: Tensor | None) -> Tensor:
    """Squares, and with them what their halves gather, through a convolution and residual blocks."""
    x = layers[0](squares)
    result: Tensor = layers[1:](x if gathered is None else F.relu(x + gathered))
    return result


def nothing(before: int, after: int, squares: int = 0) -> nn.Conv2d:
    """A convolution that gives zeros until it has learnt; over what is in squares, where their side is given."""
    layer = nn.Conv2d(before, after, squares, squares) if squares else nn.Conv2d(before, after, 3, padding=1)
    assert layer.bias is not None
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def convolution(
    before: int, after: int, kernel: int = 3, stride: int = 1, *, dilation: int = 1, slope: float = 0.0
) -> nn.Sequential:
    """And a ReLU, of some slope below 0; the size stays, but for the stride."""
    padding = kernel // 2 * dilation
    layer = nn.Conv2d(before, after, kernel, stride, padding, dilation)
    nn.init.kaiming_normal_(layer.weight, slope, nonlinearity="leaky_relu")
    return nn.Sequential(layer, nn.LeakyReLU(slope))
