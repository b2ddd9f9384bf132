"""imgen inpaint: fill the marked part of photographs."""

from pathlib import Path
from typing import Annotated

import typer

from imgen.cli import options, work
from imgen.errors import UsageError


@options.with_shared
def inpaint(
    shared: options.Shared,
    mask: Annotated[
        str,
        typer.Option(
            "--mask",
            "-m",
            metavar="PATH",
            help="White = fill: one file for all, a folder of files named as the images, or alpha.",
        ),
    ],
    invert_mask: Annotated[bool, typer.Option("--invert-mask", help="Black = fill.")] = False,
    grow: Annotated[int, typer.Option("--grow", metavar="N", min=0, help="Make the mask wider by so many pixels.")] = 0,
    feather: Annotated[
        int,
        typer.Option(
            "--feather",
            metavar="N",
            min=0,
            max=64,
            help="Pixels inside the mask over which the fill takes up the colours around.",
        ),
    ] = 2,
    tile: Annotated[
        int | None,
        typer.Option(
            "--tile", "-t", metavar="N", help="Longest side that the network sees.", show_default="by the model"
        ),
    ] = None,
) -> None:
    """Fill the marked part of photos; every other pixel stays as it is.

    \b
    imgen inpaint photo.jpg --mask mask.png
    imgen inpaint photos/ --mask masks/ --output filled/ --recursive
    """
    from imgen.image import file
    from imgen_apps.filling import Filling
    from imgen_apps.inpainting import Inpainting
    from imgen_apps.masks import ALPHA, MaskFolder

    marks = None if mask == ALPHA else Path(mask)
    if marks is not None and not marks.exists():
        raise UsageError(f"{mask}: no such mask; name a file, a folder, or alpha for what is transparent")
    network, digest = work.open_model("inpaint", shared.model, shared.device, shared.threads)
    filling = Filling(
        Inpainting(network, tile=tile),
        MaskFolder(marks, file.SUFFIXES) if marks is not None and marks.is_dir() else marks,
        invert=invert_mask,
        grow=grow,
        feather=feather,
        **shared.writing(),
    )
    work.run(filling, shared, name_suffix="-inpainted", model=digest)
