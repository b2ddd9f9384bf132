"""imgen: an image-processing toolkit for GAN applications.

Importing it loads nothing heavy; the functions below import what they need when they are called.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgen.runtime import Model
    from imgen_apps.inpainting import Inpainting
    from imgen_apps.masks import MaskLike
    from imgen_apps.pipeline import Image

__version__ = "0.1.0"


def load_model(source: str | Path, *, device: str = "auto", threads: int | None = None) -> "Model":
    """Open a trained model by file or name; see ``imgen.runtime.load``."""
    from imgen.runtime import load

    return load(source, device=device, threads=threads)


def inpaint(
    image: "Image",
    mask: "MaskLike",
    *,
    invert: bool = False,
    grow: int = 0,
    feather: int = 2,
    output: str | Path | None = None,
    model: str | Path | None = None,
    device: str = "auto",
) -> "Image":
    """Fill the marked part of an image: ``imgen.inpaint("photo.jpg", "mask.png")``.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array H x W or H x W x C (grey, RGB, RGBA;
            uint8, uint16, or floats in 0..1).
        mask: white = fill; of any of these kinds, or "alpha": fill what is transparent in the image.
        invert: black = fill.
        grow: make the mask wider by this many pixels.
        feather: pixels inside the mask over which the fill takes up the colours around it.
        output: of an image given by its path, the file to write instead of ``photo-inpainted.jpg``.
        model: name or file; by default the built-in one. It is opened once and kept.
        device: "auto", "cpu", "cuda", "cuda:1" or "openvino".

    Returns:
        The same kind as ``image`` (for a path, the path of the file written); equal to it outside the mask.

    Raises:
        ImgenError: what is wrong, in one line; see ``imgen.errors``.
    """
    pipeline = _inpainting(None if model is None else str(model), device)
    return pipeline(image, mask, invert=invert, grow=grow, feather=feather, output=output)


@cache
def _inpainting(model: str | None, device: str) -> "Inpainting":
    from imgen.runtime.catalogue import default_model
    from imgen_apps.inpainting import Inpainting

    return Inpainting(load_model(default_model("inpaint") if model is None else model, device=device))
