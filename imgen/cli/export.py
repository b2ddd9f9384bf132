"""imgen export: a trained network as a verified ONNX file."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from imgen.spec import Spec

EPILOG = "Examples:  imgen export inpaint-base out.onnx    imgen export RealESRGAN_x2plus.pth out.onnx"


def export(
    model: Annotated[str, typer.Argument(help="A run, a .safetensors or .pth file, or the name of a built-in model.")],
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
    spec = _copy_built_in(model, output, graph) or _write(_source(model), output, graph)
    parity = spec.parity
    sizes = ", ".join("x".join(map(str, size)) for size in parity["sizes"])
    if spec.task == "generate":
        sizes = f"batches of {sizes}"
    unit = "levels of 255" if graph == "embed" else "of 0..1"
    typer.echo(
        f"{output}: {graph} graph, differs from torch by at most {parity['max_difference']:.1e} {unit} at {sizes}"
    )


def _copy_built_in(model: str, output: Path, graph: str) -> "Spec | None":
    """A built-in model's graph as it was verified and shipped, without torch; None if it has no such file."""
    from imgen.image.atomic import atomic
    from imgen.runtime.catalogue import entries, find_model
    from imgen.spec import Spec

    if model not in entries():
        return None
    core = find_model(model)
    source = core if graph == "core" else core.with_stem(f"{core.stem}-{graph}")
    sidecar = source.with_suffix(".json")
    if not (source.exists() and sidecar.exists()):
        return None
    description = sidecar.read_text()
    with atomic(output) as file:
        file.write(source.read_bytes())
    with atomic(output.with_suffix(".json")) as file:
        file.write(description.replace(f'"{source.name}"', f'"{output.name}"').encode())
    return Spec.from_json(description, str(sidecar))


def _write(source: Path, output: Path, graph: str) -> "Spec":
    from imgen.errors import UsageError

    try:
        from imgen import weights
        from imgen.runtime.download import sha256_of
        from imgen_export.graph import export as write
    except ImportError as error:
        raise UsageError(f'exporting needs torch and onnx ({error}); pip install "imgen[train]"') from error
    spec, network = weights.read(source)
    return write(network, output, replace(spec, weights_sha256=sha256_of(source)), graph)


def _source(model: str) -> Path:
    """The weights file that is meant."""
    from imgen.errors import ModelError
    from imgen.runtime.catalogue import entries, weights_file
    from imgen.runtime.model import SUFFIXES

    path = Path(model)
    if path.is_dir():
        return _of_run(path)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        raise ModelError(f"{model} is an ONNX file already; export takes a weights file or a built-in name")
    if suffix in SUFFIXES or path.exists():
        if not path.is_file():
            raise ModelError(f"{model} is not a file; give a weights file or one of: {', '.join(entries())}")
        return path
    return weights_file(model)


def _of_run(folder: Path) -> Path:
    """A run's model file, written now if the run was stopped before its end or has gone on since."""
    from imgen.cli.runs import need_torch
    from imgen.errors import ModelError

    need_torch("exporting a run")
    from imgen.training import checkpoint, run

    model, saved = folder / "model.safetensors", checkpoint.path_in(folder)
    if saved.exists() and (not model.exists() or model.stat().st_mtime < saved.stat().st_mtime):
        return run.finish(folder)
    if not model.exists():
        raise ModelError(f"{folder} is not the folder of a run: neither a checkpoint nor a model file is in it")
    return model
