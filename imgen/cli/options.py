"""Options that all verbs which work on images share: one meaning, one name, one help text."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer


def _remember(context: typer.Context, debug: bool) -> bool:
    """Leave --debug, before the verb or after it, where errors are reported."""
    context.meta["imgen.debug"] = debug or context.meta.get("imgen.debug", False)
    return debug


Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="INPUT", help="Files, folders, globs, or - for standard input.")
]
MoreInputs = Annotated[list[str] | None, typer.Option("--input", "-i", metavar="INPUT", help="One more input.")]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="PATH", help="File, folder, or - for standard output; without it, beside the input."
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-n", metavar="NAME", help="Name (imgen models list) or file of a model.", show_default="built in"
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device", "-d", metavar="NAME", help="auto, cpu, cuda, cuda:1, tensorrt, openvino or openvino:fp32."
    ),
]
Threads = Annotated[
    int | None, typer.Option("--threads", metavar="N", min=1, help="CPU threads.", show_default="all cores")
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "--ext",
        metavar="NAME",
        help="png, jpg, webp, tiff, ... of the results.",
        show_default="as the input",
    ),
]
Quality = Annotated[
    int | None,
    typer.Option(
        "--quality",
        metavar="N",
        min=1,
        max=100,
        help="Of JPEG, WebP, AVIF.",
        show_default="high; of an edited JPEG its own",
    ),
]
Suffix = Annotated[
    str | None,
    typer.Option(
        "--suffix", metavar="TEXT", help="Added to names.", show_default="the verb's, beside inputs; else none"
    ),
]
StripMetadata = Annotated[bool, typer.Option("--strip-metadata", help="Leave out ICC profile, EXIF and XMP.")]
MaxPixels = Annotated[
    int, typer.Option("--max-pixels", metavar="N", min=1, help="Refuse larger images, before decoding.")
]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Also look into the folders of a folder.")]
SkipExisting = Annotated[bool, typer.Option("--skip-existing", help="Leave results alone that are there.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write JSON lines, one a file.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only say what goes wrong.")]
Debug = Annotated[bool, typer.Option("--debug", callback=_remember, help="Show tracebacks.")]

MAX_PIXELS = 100_000_000  # imgen.image.file.DEFAULT_MAX_PIXELS, without importing it


@dataclasses.dataclass(frozen=True)
class Shared:
    """What all verbs that work on images are told."""

    inputs: Inputs = None
    more_inputs: MoreInputs = None
    output: Output = None
    model: Model = None
    device: Device = "auto"
    threads: Threads = None
    format: Format = None
    quality: Quality = None
    suffix: Suffix = None
    strip_metadata: StripMetadata = False
    max_pixels: MaxPixels = MAX_PIXELS
    recursive: Recursive = False
    skip_existing: SkipExisting = False
    overwrite: Overwrite = False
    resume: Resume = False
    report: Report = None
    dry_run: DryRun = False
    quiet: Quiet = False
    debug: Debug = False

    def writing(self) -> dict[str, Any]:
        """How images are read and written, as the stages of all verbs take it."""
        return {name: getattr(self, name) for name in ("format", "quality", "strip_metadata", "max_pixels")}


def with_shared(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb whose first parameter is a ``Shared``, or made from it, as typer wants it: a parameter for each field."""
    signature = inspect.signature(verb)
    group = next(iter(signature.parameters.values())).annotation
    fields = dataclasses.fields(group)

    @functools.wraps(verb)
    def call(**values: Any) -> None:
        verb(group(**{field.name: values.pop(field.name) for field in fields}), **values)

    kind = inspect.Parameter.KEYWORD_ONLY
    own = [parameter.replace(kind=kind) for parameter in list(signature.parameters.values())[1:]]
    common = [inspect.Parameter(field.name, kind, default=field.default, annotation=field.type) for field in fields]
    call.__signature__ = signature.replace(parameters=own + common)  # type: ignore[attr-defined]
    return call
