"""imgen degrade: pairs of photographs with and without something on the glass before them."""

from pathlib import Path
from typing import Annotated

import typer

from imgen.cli import options
from imgen.errors import UsageError


def degrade(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="drops, dirt or snow.")],
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT", help="Files, folders, globs.")],
    out: Annotated[
        str, typer.Option("--output", "--out", "-o", metavar="DIR", help="Folder for dirty/, clean/ and mask/.")
    ],
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="Pairs of each photo.")] = 1,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Equal seeds give equal pairs.")] = 0,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=16, help="Shorter side; larger photos are made smaller.", show_default="as the photo"
        ),
    ] = None,
    density: Annotated[
        float | None,
        typer.Option(metavar="N", help="Share of the glass that is covered, 0 to 1.", show_default="varies"),
    ] = None,
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
    """Put simulated raindrops, dirt or snow before photos: pairs to train and to measure with, and exact masks.

    \b
    imgen degrade drops photos/ --output pairs/
    imgen degrade drops photos/ --output pairs/ --count 4 --size 480 --seed 1
    """
    from imgen.data.drops import KINDS
    from imgen.image import file
    from imgen.lookup import find
    from imgen_apps import batch
    from imgen_apps.degrading import DIRTY, Degrading

    draw, folder = find(KINDS, kind, "kind of matter"), Path(out)
    if folder.is_file() or folder.suffix.lower() in file.SUFFIXES:
        raise UsageError(f"the output {folder} is a file, but a pair is three; name a folder")
    degrading = Degrading(draw, folder, count, seed, size, density, max_pixels)
    found = batch.discover(
        inputs, folder / DIRTY, suffixes=file.SUFFIXES, recursive=recursive, name_suffix="", extension=".png"
    )
    jobs = degrading.select(found)
    if not jobs:
        raise UsageError(f"all of {', '.join(inputs)} lies in the output {folder}; name another folder for the pairs")
    summary = batch.run(
        jobs,
        degrading.load,
        degrading.process,
        degrading.save,
        parameters=degrading.parameters(),
        options=batch.Options(skip_existing, overwrite, resume, report, dry_run, quiet, debug),
    )
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)
