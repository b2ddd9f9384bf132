"""imgen inpaint: fill the marked part of photographs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgen.cli import options, work
from imgen.errors import UsageError

if TYPE_CHECKING:
    from imgen.runtime import Model
    from imgen_apps.inpainting import Inpainting


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
    label: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="NAME", help="Of a model with classes (a run of cvae-gan): what the photo shows."
        ),
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(
            "--iterations",
            metavar="N",
            min=1,
            help="Of such a model: how often the photo goes through it.",
            show_default="10",
        ),
    ] = None,
) -> None:
    """Fill the marked part of photos; every other pixel stays as it is.

    \b
    imgen inpaint photo.jpg --mask mask.png
    imgen inpaint photos/ --mask masks/ --output filled/ --recursive
    imgen inpaint fruit.jpg --mask mask.png --model runs/fruit --class Banana
    """
    opening = work.open_model("inpaint", _file_of(shared.model), shared.device, shared.threads)
    from imgen.image import file
    from imgen_apps.companions import Companions
    from imgen_apps.filling import Filling
    from imgen_apps.masks import ALPHA

    marks = None if mask == ALPHA else Path(mask)
    if marks is not None and not marks.exists():
        raise UsageError(f"{mask}: no such mask; name a file, a folder, or alpha for what is transparent")
    network, digest = opening.result()
    filling = Filling(
        _pipeline(network, tile, label, iterations),
        Companions(marks, file.SUFFIXES) if marks else None,
        invert=invert_mask,
        grow=grow,
        feather=feather,
        **shared.writing(),
    )
    work.run(filling, shared, name_suffix="-inpainted", model=digest)


def _file_of(model: str | None) -> str | None:
    """The file that is meant where the folder of a run is named."""
    if model is None or not (Path(model) / "config.json").is_file():
        return model
    from imgen.cli import runs

    return str(runs.file_of(Path(model), "autoencoder.safetensors"))


def _pipeline(network: "Model", tile: int | None, label: str | None, iterations: int | None) -> "Inpainting":
    """The one that the model is made for.

    Raises:
        UsageError: an option that is not for it, or one that is missing.
    """
    from imgen_apps.inpainting import Inpainting
    from imgen_apps.iterated_inpainting import ITERATIONS, IteratedInpainting

    name = network.spec.name
    if network.spec.task != IteratedInpainting.task:
        if network.spec.task == Inpainting.task and (label, iterations) != (None, None):
            option = "--class" if label is not None else "--iterations"
            raise UsageError(
                f"{option} is for models with classes, which {name} has not; give --model a run of cvae-gan"
            )
        return Inpainting(network, tile=tile)
    if tile is not None:
        raise UsageError(f"--tile is not for {name}, which sees squares of {network.spec.size} pixels; leave it out")
    if label is None:
        there = ", ".join(network.spec.class_names) or f"0 to {network.spec.classes - 1}"
        raise UsageError(f"{name} has classes; say with --class what the photo shows: {there}")
    return IteratedInpainting(network, label, iterations=iterations or ITERATIONS)
