"""imgen inpaint: fill the marked part of photographs."""

from pathlib import Path
from typing import Annotated

import typer

from imgen.cli import options, work
from imgen.errors import UsageError


def inpaint(
    mask: Annotated[
        str,
        typer.Option(
            "--mask",
            "-m",
            metavar="PATH",
            help="White = fill: one file for all, a folder of files named as the images, or alpha.",
        ),
    ],
    inputs: options.Inputs = None,
    more_inputs: options.MoreInputs = None,
    output: options.Output = None,
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
    model: options.Model = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    tile: Annotated[
        int | None,
        typer.Option(
            "--tile", "-t", metavar="N", help="Longest side that the network sees.", show_default="by the model"
        ),
    ] = None,
    format: options.Format = None,  # noqa: A002
    quality: options.Quality = None,
    suffix: options.Suffix = None,
    strip_metadata: options.StripMetadata = False,
    max_pixels: options.MaxPixels = options.MAX_PIXELS,
    recursive: options.Recursive = False,
    skip_existing: options.SkipExisting = False,
    overwrite: options.Overwrite = False,
    resume: options.Resume = False,
    report: options.Report = None,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Fill the marked part of photos; every other pixel stays as it is.

    \b
    imgen inpaint photo.jpg --mask mask.png
    imgen inpaint photos/ --mask masks/ --output filled/ --recursive
    """
    from imgen.image import file
    from imgen_apps import batch
    from imgen_apps.filling import Filling
    from imgen_apps.inpainting import Inpainting
    from imgen_apps.masks import ALPHA, MaskFolder

    sources = [*(inputs or []), *(more_inputs or [])]
    if not sources:
        raise UsageError("nothing to fill; name a file, a folder, a glob, or - for standard input")
    marks = None if mask == ALPHA else Path(mask)
    if marks is not None and not marks.exists():
        raise UsageError(f"{mask}: no such mask; name a file, a folder, or alpha for what is transparent")
    extension = file.suffix_for(file.format_named(format)) if format else None
    network, digest = work.open_model("inpaint", model, device, threads)
    filling = Filling(
        Inpainting(network, tile=tile),
        MaskFolder(marks, file.SUFFIXES) if marks is not None and marks.is_dir() else marks,
        invert=invert_mask,
        grow=grow,
        feather=feather,
        format=format,
        quality=quality,
        strip_metadata=strip_metadata,
        max_pixels=max_pixels,
    )
    if "-" in sources or output == "-":
        work.stream(sources, output, filling.load, filling.fill, filling.save, overwrite=overwrite)
        return
    jobs = batch.discover(
        sources,
        Path(output) if output else None,
        suffixes=file.SUFFIXES,
        recursive=recursive,
        name_suffix=("" if output else "-inpainted") if suffix is None else suffix,
        extension=extension,
    )
    summary = batch.run(
        filling.with_masks(jobs),
        lambda job: filling.load(job.source),
        filling.fill,
        filling.save,
        parameters={"model": digest, **filling.parameters()},
        options=batch.Options(skip_existing, overwrite, resume, report, dry_run, quiet, debug),
    )
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)
