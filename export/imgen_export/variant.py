"""What may be chosen of a file: its graph, its numbers, its version of ONNX, a fixed size."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imgen.errors import UsageError
from imgen.runtime.catalogue import Entry
from imgen.spec import Spec

GRAPHS = ("core", "embed")
PRECISIONS = ("fp32", "fp16", "int8")
OPSET = 18
"""What torch traces, and what runs almost everywhere."""
OPSETS = range(13, 27)
"""13 is the first with quantisation by channels."""
MAX_LOSS = 0.3
"""Of int8, in decibels, where nothing else is said."""
_LARGEST = 16384  # pixels


@dataclass(frozen=True)
class Variant:
    """How a graph is written.

    Attributes:
        precision: of the numbers inside, a member of ``PRECISIONS``; what goes in and comes out is the same for all.
        opset: version of the operators.
        size: height and width, to which the graph is fixed at batch 1; None leaves them free.
        photos: a folder of photographs to find int8's ranges on, and to measure what it loses.
        max_loss: of int8, in decibels of PSNR against what the network is to give.
    """

    precision: str = "fp32"
    opset: int = OPSET
    size: tuple[int, int] | None = None
    photos: Path | None = None
    max_loss: float = MAX_LOSS

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")
        if self.opset not in OPSETS:
            raise UsageError(f"opset must be in {OPSETS.start}..{OPSETS.stop - 1}, got {self.opset}; {OPSET} is usual")
        if self.size is not None and not all(1 <= side <= _LARGEST for side in self.size):
            raise UsageError(f"size must be in 1..{_LARGEST} pixels a side, got {self.size[0]}x{self.size[1]}")
        if self.precision == "int8" and self.photos is None:
            raise UsageError("int8 needs photographs to find its ranges on; name a folder of them by --calibrate")
        if self.precision != "int8" and self.photos is not None:
            raise UsageError(f"{self.precision} needs no photographs; leave --calibrate out, or take --precision int8")
        if not 0 <= self.max_loss < float("inf"):
            raise UsageError(f"the greatest loss is {self.max_loss} dB; it must be 0 or more")

    @classmethod
    def of(cls, precision: str, opset: int, size: str | None, photos: Path | None, max_loss: float | None) -> Self:
        """As words on the command line say it; ``size`` is HEIGHTxWIDTH.

        Raises:
            UsageError: something here makes no sense.
        """
        if max_loss is not None and precision != "int8":
            raise UsageError(f"--max-loss is for int8; leave it out of {precision}")
        return cls(precision, opset, _size(size), photos, MAX_LOSS if max_loss is None else max_loss)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isascii() and side.isdigit() for side in sides):
        raise UsageError(f"size must be HEIGHTxWIDTH in pixels, like 512x768, got {text!r}")
    return int(sides[0]), int(sides[1])


def check_graph(graph: str, model: Spec | Entry | None = None) -> None:
    """Refuse a graph there is not, or not of a model.

    Raises:
        UsageError: an unknown graph; or the embed graph of what makes images of no image.
    """
    if graph not in GRAPHS:
        raise UsageError(f"graph must be one of {', '.join(GRAPHS)}, got {graph!r}")
    if graph == "embed" and model is not None and model.task == "generate":
        raise UsageError(f"the embed graph is for images to images, {model.name!r} generates them; take core")
