"""The shape of one datum, and the one rule by which every network grows with it."""

from dataclasses import dataclass

from imgen.errors import UsageError


@dataclass(frozen=True)
class Shape:
    """What one datum is: an image, channels x size x size, or (size 0) a vector of ``channels`` values."""

    size: int
    channels: int = 3
    classes: int = 0  # labels there are; 0: none


def stages(size: int) -> int:
    """How many times a square of this size is halved to reach 4 x 4: log2(size) - 2.

    Raises:
        UsageError: the size is no power of two, or below 8.
    """
    if size < 8 or size & (size - 1):
        raise UsageError(f"size must be a power of two, 8 at least, got {size}; choose 16, 32, 64, 128 ...")
    return size.bit_length() - 3


def width_at(resolution: int, size: int, width: int, cap: int) -> int:
    """Channels at a resolution: ``width`` at half of the full size, doubled with every halving, ``cap`` at most.

    At size 64 and width 64 these are the 64, 128, 256, 512 of Radford et al. 2016, arXiv:1511.06434.
    """
    return min(width * size // (2 * resolution), cap)
