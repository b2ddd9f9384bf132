"""imgen translate: photographs and label maps into images of another kind."""

from pathlib import Path
from typing import Annotated

import typer

from imgen.cli import options, work
from imgen.errors import UsageError


@options.with_shared
def translate(
    shared: options.Shared,
    strength: Annotated[
        float, typer.Option("--strength", metavar="N", help="0: nothing changes. 1: translated in full.")
    ] = 1.0,
    size: Annotated[
        int | None,
        typer.Option(
            "--size",
            metavar="N",
            help="Long side at which the network sees larger images; the result has theirs.",
            show_default="the image's own",
        ),
    ] = None,
    styles: Annotated[
        int,
        typer.Option("--styles", metavar="N", min=1, help="Results of each image, of a network that makes several."),
    ] = 1,
    instances: Annotated[
        Path | None,
        typer.Option(
            "--instances",
            metavar="PATH",
            help="Which pixels of a label map are one thing: a file, or a folder of files named as the maps.",
            show_default="a class is one thing",
        ),
    ] = None,
) -> None:
    """Translate photos by a network that was trained to, or label maps into photos, at their own size.

    \b
    imgen translate photo.jpg --model apple2orange
    imgen translate labels/ --model streets.onnx --styles 3 --output streets/
    """
    opening = work.open_model("translate", shared.model, shared.device, shared.threads)
    from imgen.image import file
    from imgen_apps.companions import Companions
    from imgen_apps.translating import Translating
    from imgen_apps.translation import Translation

    if instances and not instances.exists():
        raise UsageError(f"{instances}: no such instance map; name a file, or a folder of them")
    maps = Companions(instances, file.SUFFIXES, "instance map") if instances else None
    network, digest = opening.result()
    translating = Translating(
        Translation(network), strength=strength, size=size, styles=styles, instances=maps, **shared.writing()
    )
    work.run(translating, shared, name_suffix="-translated", model=digest)
