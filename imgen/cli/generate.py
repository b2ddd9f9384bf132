"""imgen interpolate, walk, reconstruct: what a trained run makes of codes and pictures."""

from pathlib import Path
from typing import Annotated

import typer

from imgen.cli import runs
from imgen.errors import UsageError

INTERPOLATE = "Examples:  imgen interpolate runs/vae a.png b.png    imgen interpolate runs/vae a.png b.png --steps 16"
WALK = "Examples:  imgen walk runs/wgan-gp    imgen walk runs/vae --axes 0,1 --side 16"
RECONSTRUCT = "Examples:  imgen reconstruct runs/vae photos/    imgen reconstruct runs/vae photos/ -o again"

DRAWN = 4096
"""Codes that the quantiles of a prior are taken from."""


def interpolate(
    run: runs.Run,
    first: Annotated[Path, typer.Argument(metavar="A", help="The picture to begin with.")],
    last: Annotated[Path, typer.Argument(metavar="B", help="The picture to end with.")],
    steps: Annotated[int, typer.Option(metavar="N", min=2, help="Pictures on the way, both ends counted.")] = 9,
    name: runs.Class = None,
    output: runs.Output = None,
    overwrite: runs.Overwrite = False,
    device: runs.Device = "auto",
) -> None:
    """Show the way from one picture to another, through the codes of a method that has an encoder."""
    engine, config = runs.open_run(run, device)
    runs.need_images(config)
    import torch

    from imgen.data.batch import signed
    from imgen.data.square import read_square

    label = runs.label_in(name, engine, config)
    path = runs.target(output, run / "interpolate.png", overwrite)
    ends = [torch.from_numpy(read_square(each, config.shape.size, config.shape.channels)) for each in (first, last)]
    a, b = (signed(end)[None].to(engine.device) for end in ends)
    torch.manual_seed(0)  # where codes are searched for, the search begins with random ones
    way = engine.interpolate(a, b, steps, torch.tensor([-1 if label is None else label], device=engine.device))
    strip = torch.cat([ends[0][None] / 255, way[0].cpu(), ends[1][None] / 255])
    runs.write_grid(strip.numpy(), len(strip), path)
    typer.echo(f"{path}: {first.name}, {steps} pictures from its code to that of {last.name}, {last.name}")


def walk(
    run: runs.Run,
    axes: Annotated[
        str | None,
        typer.Option(
            metavar="I,J",
            help="Change only these two values of the code, counted from 0.",
            show_default="a code of two: both; else a square between four codes",
        ),
    ] = None,
    side: Annotated[int, typer.Option(metavar="N", min=2, help="Pictures in a row and in a column.")] = 12,
    name: runs.Class = None,
    seed: runs.Seed = 0,
    output: runs.Output = None,
    overwrite: runs.Overwrite = False,
    device: runs.Device = "auto",
) -> None:
    """Draw a map of the codes: what are neighbours on it have neighbouring codes."""
    engine, config = runs.open_run(run, device)
    runs.need_images(config)
    import torch

    from imgen.engines.latent_map import along, between

    label = runs.label_in(name, engine, config) or 0
    path = runs.target(output, run / "walk.png", overwrite)
    torch.manual_seed(seed)
    drawn = engine.prior(DRAWN)
    pair = (0, 1) if axes is None and drawn.shape[1] == 2 else _axes(axes)
    codes = along(drawn, *pair, side) if pair else between(drawn[:4], side)
    labels = torch.full((len(codes),), label, device=engine.device)
    parts = zip(codes.split(runs.BATCH), labels.split(runs.BATCH), strict=True)
    runs.write_grid(torch.cat([engine.decode(code, part) for code, part in parts]).cpu().numpy(), side, path)
    where = f"values {pair[0]} and {pair[1]} of the code" if pair else "a square between four codes"
    typer.echo(f"{path}: {side} x {side} pictures by {config.engine}, {where}, seed {seed}")


def reconstruct(
    run: runs.Run,
    data: Annotated[str, typer.Argument(metavar="DIR", help="The pictures: a folder, a .csv or an idx file.")],
    output: runs.OutputOrFolder = None,
    overwrite: runs.Overwrite = False,
    device: runs.Device = "auto",
) -> None:
    """Send pictures through the code and back: a picture of the first ones or a folder of all, and what was lost."""
    engine, config = runs.open_run(run, device)
    runs.need_images(config)
    import numpy as np
    import torch

    from imgen.data.batch import signed
    from imgen.data.open import open_items
    from imgen.metrics import reconstruction

    path = runs.target(output, run / "reconstruct.png", overwrite)
    items = open_items([data], config.shape.size, config.shape.channels)
    labels = runs.labels_in(items, config)
    originals, again = [], []
    for numbers in np.array_split(np.arange(len(items)), -(-len(items) // runs.BATCH)):
        pixels, found = items.pixels(numbers)
        made = engine.reconstruct(signed(pixels).to(engine.device), labels[found].to(engine.device))
        originals.append(pixels)
        again.append((made * 255).round().to(torch.uint8).cpu())
    before, after = torch.cat(originals), torch.cat(again)
    if path.suffix:
        rows = zip(before[:32].split(8), after[:32].split(8), strict=True)
        runs.write_grid((torch.cat([runs.fill(part, 8) for pair in rows for part in pair]) / 255).numpy(), 8, path)
    else:
        runs.write_each([(after / 255).numpy()], runs.names_of(items, Path(data)), path)
    pairs = zip(after.permute(0, 2, 3, 1).numpy(), before.permute(0, 2, 3, 1).numpy(), strict=True)
    lost = "  ".join(f"{key} {value:.4f}" for key, value in reconstruction(pairs).items())
    typer.echo(f"{path}: {len(before)} pictures through {config.engine} and back: {lost}")


def _axes(text: str | None) -> tuple[int, int] | None:
    """Two numbers of the code's values.

    Raises:
        UsageError: the text is something else.
    """
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"--axes {text}: give two numbers of the code's values, as in --axes 0,1")
    return int(parts[0]), int(parts[1])
