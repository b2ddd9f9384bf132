"""imgen evaluate: how good one set of images is, measured against another."""

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgen.data.items import Items

EPILOG = (
    "Examples:  imgen evaluate samples/ photos/    "
    "imgen evaluate samples/ photos/ --features inception.pt --json    "
    "imgen evaluate restored/ originals/ --paired"
)
_BATCH = 64


def evaluate(
    made: Annotated[str, typer.Argument(metavar="A", help="The images to judge: a folder, .csv or idx file.")],
    real: Annotated[str, typer.Argument(metavar="B", help="The images they should be like.")],
    features: Annotated[
        str,
        typer.Option(
            metavar="NETWORK",
            help="What sees them: efficientnet-lite0, a classifier's run, an .onnx or TorchScript file.",
        ),
    ] = "efficientnet-lite0",
    feature_size: Annotated[
        int | None, typer.Option(min=1, help="Side of the images such a file takes.", show_default="its own, or 299")
    ] = None,
    feature_range: Annotated[
        str, typer.Option(help="Range of values such a file takes: 0..255, 0..1 or -1..1.")
    ] = "0..255",
    size: Annotated[
        int | None,
        typer.Option(min=1, help="Bring both sets to this size first.", show_default="that of the smaller images"),
    ] = None,
    limit: Annotated[int, typer.Option(min=6, help="Take no more images of a set than this, at random.")] = 10_000,
    paired: Annotated[
        bool, typer.Option("--paired", help="Also compare each image with the one of the same name: PSNR, SSIM.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
) -> None:
    """Compare two sets of images: Frechet and kernel distance, precision, recall, density, coverage, score."""
    from imgen.errors import UsageError

    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise UsageError(f'measuring sets needs torch ({error}); pip install "imgen[train]"') from error
    from imgen.cli.devices import torch_device
    from imgen.data.open import open_items, typical_side
    from imgen.data.square import RULE
    from imgen.metrics import compare_sets, describe, open_extractor, reconstruction

    network = open_extractor(features, size=feature_size, values=feature_range, device=torch_device(device))
    metrics = reconstruction(_pairs(made, real)) if paired else {}
    side = size or min(typical_side([made]), typical_side([real]), network.size)
    sets = [open_items([name], side, network.channels) for name in (made, real)]
    seen = [describe(network, _batches(items, limit)) for items in sets]
    metrics |= compare_sets(seen[0], seen[1], network.name)
    counts = [len(each.features) for each in seen]
    protocol = (
        f"imgen evaluate 1: {counts[0]} of {len(sets[0])} against {counts[1]} of {len(sets[1])} images, {RULE} to "
        f"{side} px, then {network.size} px for {network.name}; kernel (xy/D+1)^3, unbiased; neighbours 3 for "
        "precision and recall, 5 for density and coverage; score in 10 parts"
    )
    if as_json:
        finite = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
        typer.echo(json.dumps({"a": made, "b": real, "metrics": finite, "protocol": protocol}, indent=2))
        return
    width = max(map(len, metrics))
    for name, value in metrics.items():
        typer.echo(f"{name:{width}}  {value:12.5f}")
    typer.echo(protocol)
    values = seen[0].features.shape[1]
    if min(counts) < values:
        typer.echo(
            f"imgen: {min(counts)} images are fewer than the {values} features, which inflates the Frechet distance; "
            "go by the kernel distance",
            err=True,
        )


def _batches(items: "Items", limit: int) -> "Iterator[NDArray[np.uint8]]":
    """The images in random order (the score needs one), the same ones every time."""
    from imgen.data.order import order
    from imgen_apps.progress import Progress

    numbers = order(0, len(items), 0, min(limit, len(items)))
    starts = range(0, len(numbers), _BATCH)
    with Progress(len(starts), quiet=not sys.stderr.isatty()) as progress:
        for start in starts:
            yield items.pixels(numbers[start : start + _BATCH])[0].numpy()
            progress.advance("")


def _pairs(made: str, real: str) -> "Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]":
    """Whole images whose names below their folders are equal but for the suffix.

    Raises:
        UsageError: one has no other.
    """
    from imgen.data.open import files_of
    from imgen.errors import UsageError
    from imgen.image.file import read
    from imgen.image.pixels import to_8bit, without_alpha

    named: list[dict[Any, Path]] = [
        {path.relative_to(name).with_suffix(""): path for path in files_of([name]).paths} for name in (made, real)
    ]
    alone = sorted(named[0].keys() ^ named[1].keys())
    if alone:
        raise UsageError(f"{alone[0]}: is in one of {made} and {real} only; --paired needs equal names in both")
    for key, path in named[0].items():
        one, other = (to_8bit(without_alpha(read(file).pixels)) for file in (path, named[1][key]))
        yield one, other
