"""imgen translate: photographs and label maps into images of another kind."""

from typing import Annotated

import typer

from imgen.cli import options, work


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
) -> None:
    """Translate photos by a network that was trained to, or label maps into photos, at their own size.

    \b
    imgen translate photo.jpg --model apple2orange
    imgen translate labels/ --model streets.onnx --styles 3 --output streets/
    """
    from imgen_apps.translating import Translating
    from imgen_apps.translation import Translation

    network, digest = work.open_model("translate", shared.model, shared.device, shared.threads)
    translating = Translating(Translation(network), strength=strength, size=size, styles=styles, **shared.writing())
    work.run(translating, shared, name_suffix="-translated", model=digest)
