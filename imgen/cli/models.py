"""imgen models: what there is, whether it is whole, and fetching it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from imgen.runtime.catalogue import Entry

EPILOG = "Examples:  imgen models list    imgen models info NAME"

app = typer.Typer(help="List, check and fetch models.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A name that imgen models list shows.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Names; all that are here if none.")]


@app.command("list", epilog="Examples:  imgen models list    imgen models list --json")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of lines.")] = False,
) -> None:
    """Show the models by name, task, size and licence; * marks the default of its task."""
    from imgen.runtime.catalogue import entries

    found = list(entries().values())
    if as_json:
        typer.echo(json.dumps([_describe(entry) for entry in found], indent=2))
        return
    width = max((len(entry.name) for entry in found), default=0)
    for entry in found:
        here = "here" if entry.path.is_file() else f"imgen models pull {entry.name}"
        mark = "*" if entry.default else " "
        typer.echo(
            f"{mark} {entry.name:{width}}  {entry.task:11}  {entry.bytes / 1e6:6.1f} MB  {entry.licence:15}  {here}"
        )


@app.command(epilog="Examples:  imgen models info NAME    imgen models info OTHER")
def info(name: Name) -> None:
    """Show one model: where its files are, its hash and its card."""
    from imgen.errors import ModelError
    from imgen.lookup import find
    from imgen.runtime.catalogue import BUILT_IN, entries

    entry = find(entries(), name, "model", ModelError)
    for key, value in _describe(entry).items():
        typer.echo(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    card = BUILT_IN / entry.card
    if card.is_file():
        typer.echo(f"\n{card.read_text(encoding='utf-8').strip()}")


@app.command(epilog="Examples:  imgen models verify    imgen models verify NAME")
def verify(names: Names = None) -> None:
    """Compare files with their SHA-256; a difference ends with exit code 3."""
    from imgen.errors import ModelError
    from imgen.lookup import find
    from imgen.runtime import catalogue

    known = catalogue.entries()
    chosen = [find(known, name, "model", ModelError) for name in names or []]
    failed = False
    for entry in chosen or [entry for entry in known.values() if entry.path.is_file()]:
        try:
            typer.echo(f"{entry.name}: {catalogue.verify(entry)} is whole")
        except ModelError as error:
            failed = True
            typer.echo(f"imgen: {error}", err=True)
    if failed:
        raise typer.Exit(ModelError.exit_code)


@app.command("import", epilog="Examples:  imgen models import latest_net_G.pth horse2zebra")
def import_model(
    file: Annotated[Path, typer.Argument(help="A .pth, .pt or .safetensors file.")],
    name: Annotated[str, typer.Argument(help="What to call the model.")],
    labels: Annotated[
        str | None,
        typer.Option(metavar="N|FILE", help="Classes of the label maps that it takes: how many, or a palette file."),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(metavar="ID", help="SPDX identifier of its terms.", show_default="as the file says")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an imported model of that name.")] = False,
) -> None:
    """Make weights of others a model by name: written as ONNX, proved equal to torch, and entered in the catalogue."""
    from imgen.cli.importing import import_weights

    typer.echo(import_weights(file, name, labels=labels, licence=licence, overwrite=overwrite))


@app.command(epilog="Examples:  imgen models pull NAME    IMGEN_HOME=/big/disk imgen models pull NAME")
def pull(names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Which to fetch.")]) -> None:
    """Fetch models into the cache; a download that broke off goes on where it stopped."""
    from imgen.runtime import catalogue

    for name in names:
        path = catalogue.pull(name, _show_progress if sys.stderr.isatty() else None)
        typer.echo(f"{name}: {path}")


def _describe(entry: "Entry") -> dict[str, object]:
    return {
        "name": entry.name,
        "task": entry.task,
        "default": entry.default,
        "licence": entry.licence,
        "file": str(entry.path),
        "present": entry.path.is_file(),
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "urls": list(entry.urls),
    }


def _show_progress(have: int, size: int) -> None:
    end = "\n" if have == size else ""
    typer.echo(f"\r{have / 1e6:.1f} of {size / 1e6:.1f} MB", err=True, nl=False)
    typer.echo(end, err=True, nl=False)
