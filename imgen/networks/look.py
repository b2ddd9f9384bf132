"""A U-Net whose features know what is around: it looks at an image once, for all the steps of ``raindrops.py``.

It is not in the paper that those follow, where each step looks for itself.

The shape is that of Ronneberger et al. 2015, arXiv:1505.04597, with residual blocks, and sums in place of joins.
"""

from itertools import pairwise

from torch import Tensor, nn

from imgen.networks.squares import SLOPE, Block, convolution


class Look(nn.Module):
    """Down three times, and back with sums.

    Args:
        before: channels of what it is given.
        width: channels at the full size; four times as many at a quarter.
        deep: residual blocks at each coarser size.
    """

    def __init__(self, before: int, width: int, deep: int) -> None:
        super().__init__()
        self.enter = nn.Sequential(convolution(before, width), Block(width))
        widths = [width, 2 * width, 4 * width, 4 * width]
        self.down = nn.ModuleList(
            nn.Sequential(convolution(fine, coarse, stride=2), *(Block(coarse) for _ in range(deep)))
            for fine, coarse in pairwise(widths)
        )
        self.deep = nn.Sequential(*(Block(widths[-1]) for _ in range(deep)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, 2) for fine, coarse in pairwise(widths))
        self.join = nn.ModuleList(nn.Sequential(nn.LeakyReLU(SLOPE), Block(width)) for width in widths[:-1])
        # Positions, at the full size, to what is at a quarter: of the convolutions at each size, and of the doubling.
        self.reach = 3 + (1 + 4 * deep) * (1 + 2 + 4) + 16 * deep + 4 + 8

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Squares, N x C x H x W, to features at a quarter of the size, and at the size. H and W are multiples of 8."""
        x, finer, made = self.enter(image), [], []
        for down in self.down:
            finer.append(x)
            x = down(x)
        x = self.deep(x)
        for up, join, fine in reversed(list(zip(self.up, self.join, finer, strict=True))):
            x = join(fine + up(x))
            made.append(x)
        return made[0], made[-1]
