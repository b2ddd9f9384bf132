"""imgen export: a trained network as a verified ONNX file."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from imgen.spec import Spec
    from imgen_export.variant import Variant

EPILOG = "Examples:  imgen export inpaint-base out.onnx    imgen export RealESRGAN_x2plus.pth out.onnx"


def export(
    model: Annotated[str, typer.Argument(help="A run, a .safetensors or .pth file, or the name of a built-in model.")],
    output: Annotated[Path, typer.Argument(help="The .onnx file to write; a .json description goes beside it.")],
    graph: Annotated[
        str, typer.Option(help="core: float NCHW, what imgen runs. embed: uint8 in and out, any size, all inside.")
    ] = "core",
    precision: Annotated[
        str,
        typer.Option(help="Of the numbers inside. fp32; fp16: for GPUs; int8: of photo models, for CPUs."),
    ] = "fp32",
    opset: Annotated[int, typer.Option(help="Version of ONNX's operators, for runtimes that want another.")] = 18,
    size: Annotated[
        str | None, typer.Option(metavar="HxW", help="Fix height and width, at batch 1, for accelerators.")
    ] = None,
    calibrate: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Photos that int8 finds its ranges on and is measured on.")
    ] = None,
    max_loss: Annotated[
        float | None, typer.Option(metavar="DB", help="What int8 may lose, in decibels.  [default: 0.3]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Write a model as ONNX, proved equal to torch at sizes it was not traced at; or write nothing."""
    from imgen.errors import UsageError
    from imgen_export.variant import Variant, check_graph

    check_graph(graph)
    if output.suffix.lower() != ".onnx":
        raise UsageError(f"{output} does not end in .onnx; name the file to write, like {output.stem or 'model'}.onnx")
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists; give --overwrite to replace it")
    variant = Variant.of(precision, opset, size, calibrate, max_loss)
    shipped = _shipped(model, graph)
    if shipped and variant == Variant():
        spec = _copy(shipped, output)
    else:
        spec = _write(_source(model), output, graph, variant, shipped)
    typer.echo(f"{output}: {_report(spec)}")


def _report(spec: "Spec") -> str:
    """What was written, and how good it is."""
    parity, numbers = spec.parity, "" if spec.precision == "fp32" else f" in {spec.precision}"
    if "loss" in parity:
        lost = f"{parity['loss']:.2f} dB of {parity['truth_psnr']:.2f} lost on {parity['photos']} photos"
        return f"{spec.graph} graph{numbers}, {lost}, {parity['faster']:.2f} times as fast as fp32 here"
    sizes = ", ".join("x".join(map(str, each)) for each in parity["sizes"])
    if spec.task in ("generate", "reconstruct"):
        sizes = f"batches of {sizes}"
    unit = "levels of 255" if spec.graph == "embed" else "of 0..1"
    near = f" ({parity['psnr']:.0f} dB)" if "psnr" in parity else ""
    worst = f"differs from torch by at most {parity['max_difference']:.1e} {unit}{near}"
    return f"{spec.graph} graph{numbers}, {worst} at {sizes}"


def _shipped(model: str, graph: str) -> Path | None:
    """A built-in model's graph as it was verified; None if there is no such file."""
    from imgen.runtime.catalogue import entries, verify
    from imgen_export.variant import check_graph

    entry = entries().get(model)
    if entry is None:
        return None
    check_graph(graph, entry)
    core = verify(entry)
    source = core if graph == "core" else core.with_stem(f"{core.stem}-{graph}")
    return source if source.exists() and source.with_suffix(".json").exists() else None


def _copy(source: Path, output: Path) -> "Spec":
    """Without torch."""
    from imgen.image.atomic import atomic
    from imgen.runtime.sharing import whole
    from imgen.spec import Spec

    sidecar = source.with_suffix(".json")
    description = sidecar.read_text()
    with atomic(output) as file:
        file.write(whole(source))
    with atomic(output.with_suffix(".json")) as file:
        file.write(description.replace(f'"{source.name}"', f'"{output.name}"').encode())
    return Spec.from_json(description, str(sidecar))


def _write(source: Path, output: Path, graph: str, variant: "Variant", shipped: Path | None) -> "Spec":
    from imgen.errors import UsageError

    try:
        from imgen import weights
        from imgen.hashing import sha256_of
        from imgen_export.graph import export as write
    except ImportError as error:
        raise UsageError(f'exporting needs torch and onnx ({error}); pip install "imgen[train]"') from error
    spec, network = weights.read(source)
    return write(
        network, output, replace(spec, weights_sha256=sha256_of(source)), graph, variant=variant, stored=shipped
    )


def _source(model: str) -> Path:
    """The weights file that is meant."""
    from imgen.cli.runs import file_of
    from imgen.errors import ModelError
    from imgen.runtime.catalogue import entries, weights_file
    from imgen.runtime.loading import SUFFIXES

    path = Path(model)
    if path.is_dir():
        return file_of(path)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        raise ModelError(f"{model} is an ONNX file already; export takes a weights file or a built-in name")
    if suffix in SUFFIXES or path.exists():
        if not path.is_file():
            raise ModelError(f"{model} is not a file; give a weights file or one of: {', '.join(entries())}")
        return path
    return weights_file(model)
