"""imgen derain: raindrops off photographs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgen.cli import options, work

if TYPE_CHECKING:
    from collections.abc import Mapping


@options.with_shared
def derain(
    shared: options.Shared,
    strength: Annotated[
        float, typer.Option("--strength", metavar="N", help="0: nothing changes. 1: drops are replaced in full.")
    ] = 1.0,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Change what is taken for clear, too; otherwise it stays to the bit.")
    ] = False,
    show_attention: Annotated[
        str | None,
        typer.Option(
            "--show-attention",
            metavar="PATH",
            help="Write where drops were found, white on black: a file, or a folder for several.",
        ),
    ] = None,
    tile: Annotated[
        int,
        typer.Option(
            "--tile", "-t", metavar="N", min=0, help="Side of what the network works on at once; 0: automatic."
        ),
    ] = 0,
) -> None:
    """Take raindrops off photos; every pixel where no drop is found stays as it is.

    \b
    imgen derain photo.jpg --show-attention drops.png
    imgen derain frames/ --output dry/
    """
    opening = work.open_model("derain", shared.model, shared.device, shared.threads)
    from imgen_apps.deraining import Deraining
    from imgen_apps.raindrop_removal import RaindropRemoval

    maps = _maps(shared, show_attention) if show_attention else {}
    network, digest = opening.result()
    deraining = Deraining(
        RaindropRemoval(network, tile=tile),
        strength=strength,
        everywhere=everywhere,
        maps=maps,
        **shared.writing(),
    )
    work.run(deraining, shared, name_suffix="-derained", model=digest)


def _maps(shared: options.Shared, place: str) -> "Mapping[Path, Path]":
    """For each input the file of its map, named as results are."""
    return {job.source: job.target for job in work.discover(shared, place, name_suffix="", extension=".png")}
