"""imgen export: a trained network as a verified ONNX file."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

EPILOG = "Examples:  imgen export inpaint-base out.onnx    imgen export run/model.safetensors app.onnx --graph embed"


def export(
    model: Annotated[str, typer.Argument(help="A .safetensors file, or the name of a built-in model.")],
    output: Annotated[Path, typer.Argument(help="The .onnx file to write; a .json description goes beside it.")],
    graph: Annotated[
        str, typer.Option(help="core: float NCHW, what imgen runs. embed: uint8 in and out, any size, all inside.")
    ] = "core",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a model as ONNX, proved equal to torch at sizes it was not traced at; or write nothing."""
    from imgen.errors import UsageError

    if output.suffix.lower() != ".onnx":
        raise UsageError(f"{output} does not end in .onnx; name the file to write, like {output.stem or 'model'}.onnx")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists; give --overwrite to replace it")
    source = _source(model)
    try:
        from imgen import weights
        from imgen.runtime.download import sha256_of
        from imgen_export.graph import export as write
    except ImportError as error:
        raise UsageError(f'exporting needs torch and onnx ({error}); pip install "imgen[train]"') from error
    described = replace(weights.read_spec(source), weights_sha256=sha256_of(source))
    spec = write(weights.load(source), output, described, graph)
    parity = spec.parity
    sizes = ", ".join(f"{n}x{h}x{w}" for n, h, w in parity["sizes"])
    unit = "levels of 255" if graph == "embed" else "of 0..1"
    typer.echo(
        f"{output}: {graph} graph, differs from torch by at most {parity['max_difference']:.1e} {unit} at {sizes}"
    )


def _source(model: str) -> Path:
    """The safetensors file that is meant."""
    from imgen.errors import ModelError
    from imgen.runtime.catalogue import entries, weights_file

    path = Path(model)
    if path.suffix == ".onnx":
        raise ModelError(f"{model} is an ONNX file already; export takes a .safetensors file or a built-in name")
    if path.suffix == ".safetensors" or path.exists():
        if not path.is_file():
            raise ModelError(f"{model} is not a file; give a .safetensors file or one of: {', '.join(entries())}")
        return path
    return weights_file(model)
