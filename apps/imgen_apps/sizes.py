"""How large an upscaled image becomes."""

import re
from dataclasses import dataclass

from imgen.errors import ImageError, UsageError
from imgen.image.tensor import Size

SCALE = 4.0  # where neither a scale nor a target is given
LARGEST = 16.0

_TARGET = re.compile(r"([1-9][0-9]*)?x([1-9][0-9]*)?")


@dataclass(frozen=True)
class Enlargement:
    """A factor for every image, or a size for each to fit.

    Args:
        scale: output pixels per input pixel each way, above 0, at most 16; 4 if there is no target either.
        target: "4000x" a width, "x3000" a height, "4000x3000" the largest size that fits into both; the ratio of
            the sides is kept.

    Raises:
        UsageError: out of range, not a size, or both given.
    """

    scale: float | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        if self.scale is not None and self.target is not None:
            raise UsageError(f"scale {self.scale:g} and target {self.target} both say how large; give one of them")
        if self.scale is not None and not 0 < self.scale <= LARGEST:
            raise UsageError(f"scale is {self.scale:g}, but it must be above 0 and at most {LARGEST:g}")
        if self.target is not None:
            match = _TARGET.fullmatch(self.target)
            if match is None or self.target == "x":
                raise UsageError(f"target {self.target!r} is no size; write 4000x (width), x3000 (height) or 4000x3000")

    @property
    def suffix(self) -> str:
        """What is added to the name of a file: "-x4", or "-4000x" by target."""
        return f"-x{SCALE if self.scale is None else self.scale:g}" if self.target is None else f"-{self.target}"

    def factor(self, height: int, width: int) -> float:
        """The scale of an image of this size.

        Raises:
            ImageError: the target is more than 16 times as large as the image.
        """
        if self.target is None:
            return SCALE if self.scale is None else self.scale
        across, _, down = self.target.partition("x")
        factor = min(int(wanted) / side for wanted, side in ((across, width), (down, height)) if wanted)
        if factor > LARGEST:
            raise ImageError(
                f"{width} x {height} pixels would become {factor:.4g} times as large by target {self.target} "
                f"(at most {LARGEST:g}); choose a smaller target"
            )
        return factor

    def size(self, height: int, width: int) -> Size:
        """The size that an image of this size becomes, never less than a pixel each way.

        >>> Enlargement(target="400x").size(75, 100)
        (300, 400)

        Raises:
            ImageError: as ``factor``.
        """
        factor = self.factor(height, width)
        return max(1, round(height * factor)), max(1, round(width * factor))
