"""imgen bench: how fast a model is on this machine."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgen.cli import options

if TYPE_CHECKING:
    from imgen_apps.benching import Row

EPILOG = "Examples:  imgen bench upscale-x4    imgen bench model.onnx --threads 1 --threads 2 --json speed.json"

TITLES = ("way", "device", "engine", "precision", "threads", "tile", "ms/MP", "images/s", "start-up s", "MB", "x torch")


def bench(
    model: Annotated[str, typer.Argument(help="Name (imgen models list) or file of a model.")],
    size: Annotated[int, typer.Option("--size", metavar="N", min=32, help="Side of the square image.")] = 512,
    threads: Annotated[
        list[int] | None,
        typer.Option("--threads", metavar="N", min=1, help="CPU threads; several in turn.", show_default="all cores"),
    ] = None,
    devices: Annotated[
        list[str] | None,
        typer.Option("--device", "-d", metavar="NAME", help="cpu, cuda, openvino; several.", show_default="all here"),
    ] = None,
    tiles: Annotated[
        list[int] | None,
        typer.Option("--tile", "-t", metavar="N", min=0, help="Tiles; several.", show_default="automatic"),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", min=1, help="How often each has its turn.")] = 5,
    path: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there, too.")] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Time the pipeline of a model, and where torch is installed against that: medians of runs that take turns.

    Megapixels are of what goes in. Start-up is a process, the model, and a first image; MB is the peak of a process.
    """
    from imgen.errors import UsageError
    from imgen_apps.benching import bench as measure

    if path is not None and path.exists() and not overwrite:
        raise UsageError(f"{path} exists; --overwrite replaces it")
    if path is not None and not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it, or choose another")
    sides = [tile or None for tile in tiles or [0]]
    rows = measure(model, size, devices=devices or (), threads=threads or (None,), tiles=sides, rounds=rounds)
    typer.echo(_table(rows))
    if path is not None:
        _write(path, model, size, rounds, rows)


def _table(rows: "list[Row]") -> str:
    titles = [*TITLES, *(["of peak"] if any(row.share_of_peak for row in rows) else [])]
    cells = [titles] + [_cells(row)[: len(titles)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) if at < 4 else cell.rjust(width) for at, (cell, width) in enumerate(pairs)).rstrip()
        for pairs in (list(zip(line, widths, strict=True)) for line in cells)
    )


def _cells(row: "Row") -> list[str]:
    return [
        row.kind,
        row.device,
        row.engine,
        row.precision,
        str(row.threads or "all"),
        str(row.tile or "auto") if row.kind == "pipeline" else "none",
        f"{row.ms_per_megapixel:.0f}",
        f"{row.images_per_second:.2f}",
        f"{row.startup_s:.2f}",
        f"{row.memory_bytes / 1e6:.0f}" if row.memory_bytes else "",
        "" if row.times_torch is None else f"{row.times_torch:.2f}",
        "" if row.share_of_peak is None else f"{row.share_of_peak:.0%}",
    ]


def _write(path: Path, model: str, size: int, rounds: int, rows: "list[Row]") -> None:
    import os
    import platform
    from importlib import metadata

    from imgen import __version__
    from imgen.image.atomic import atomic

    versions = {"imgen": __version__, "python": platform.python_version()}
    for name in ("onnxruntime", "onnxruntime-gpu", "openvino", "torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    found = {
        "model": model,
        "size": size,
        "rounds": rounds,
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        "versions": versions,
        "rows": [asdict(row) for row in rows],
    }
    with atomic(path) as file:
        file.write(json.dumps(found, indent=2).encode() + b"\n")
