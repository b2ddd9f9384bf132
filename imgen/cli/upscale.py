"""imgen upscale: larger photographs, with detail."""

from typing import Annotated

import typer

from imgen.cli import options, work
from imgen.errors import UsageError


@options.with_shared
def upscale(
    shared: options.Shared,
    scale: Annotated[
        float | None,
        typer.Option("--scale", "-s", metavar="N", help="How many times as large, up to 16.", show_default="4"),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="SIZE", help="The size instead: 4000x, x3000, or 4000x3000 to fit into."),
    ] = None,
    fidelity: Annotated[
        float | None,
        typer.Option(
            "--fidelity",
            metavar="N",
            help="0: cleaned, with detail that a photo would have. 1: only what is in the image. Or in between.",
            show_default="0",
        ),
    ] = None,
    tile: Annotated[
        int,
        typer.Option(
            "--tile", "-t", metavar="N", min=0, help="Side of what the network works on at once; 0: by free memory."
        ),
    ] = 0,
    fp32: Annotated[bool, typer.Option("--fp32", hidden=True)] = False,  # noqa: ARG001 - in scripts for others; so it is
) -> None:
    """Upscale photos of any size by any factor.

    \b
    imgen upscale photo.jpg
    imgen upscale photos/ --scale 2 --output large/ --recursive
    """
    from imgen_apps.sizes import SCALE, Enlargement
    from imgen_apps.super_resolution import names_for, pipelines
    from imgen_apps.upscaling import Upscaling

    enlargement = Enlargement(scale, target)
    if shared.model is not None and fidelity is not None:
        raise UsageError(f"--fidelity chooses between built-in models; leave it out, or --model {shared.model}")
    amount = 0.0 if fidelity is None else fidelity
    pipeline_for = pipelines(shared.model, amount, device=shared.device, threads=shared.threads, tile=tile)
    pipeline_for(SCALE if scale is None else scale)  # what is wrong with model or device is said first
    names = [shared.model] if shared.model else [name for factor in (2, 3, 4) for name in names_for(factor, amount)]
    work.run(
        Upscaling(pipeline_for, enlargement, **shared.writing()),
        shared,
        name_suffix=enlargement.suffix,
        model=[amount, *map(work.digest_of, names)],
    )
