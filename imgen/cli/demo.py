"""imgen demo: one hole in one bundled photograph, as a first sign that all is well."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgen.cli import options, work

if TYPE_CHECKING:
    from numpy.typing import NDArray

ASSETS = Path(__file__).parent.parent / "assets"


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write.")] = Path("imgen-demo.jpg"),
    model: options.Model = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    debug: options.Debug = False,  # noqa: ARG001 (its callback does it)
) -> None:
    """Take the space shuttle out of a photograph, and show before, mask and after side by side.

    \b
    imgen demo
    imgen demo --output shuttle.png --device cpu
    """
    opening = work.open_model("inpaint", model, device, threads)
    import time

    from imgen.image import file
    from imgen_apps.inpainting import Inpainting
    from imgen_apps.masks import masks_for

    network, _ = opening.result()
    photo = file.read(ASSETS / "astronaut.jpg")
    before, after = photo.pixels.copy(), photo.pixels
    (mask,) = masks_for(photo.frames, ASSETS / "astronaut-mask.png")
    start = time.perf_counter()
    Inpainting(network).fill(after, mask)
    seconds = time.perf_counter() - start
    photo.frames = [_side_by_side(before, mask, after)]
    file.write(photo, output)
    typer.echo(f"{output.absolute()}: before | mask | after")
    typer.echo(f"filled in {seconds:.2f} s by {network.spec.name} on {network.device} ({network.provider})")


def _side_by_side(before: "NDArray[Any]", mask: "NDArray[Any]", after: "NDArray[Any]") -> "NDArray[Any]":
    """The three as one picture, with white between them; the mask lies red over the photo."""
    import numpy as np

    marked = before.copy()
    marked[mask > 0] = marked[mask > 0] // 3 + np.array([160, 0, 0], np.uint8)
    gap = np.full((before.shape[0], 8, 3), 255, np.uint8)
    return np.hstack([before, gap, marked, gap, after])
