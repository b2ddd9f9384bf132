"""What the verbs that work on images share: the model they run, and the way of images through them."""

import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from imgen.cli.options import Shared
from imgen.errors import ImageError, UsageError

if TYPE_CHECKING:
    from imgen.runtime import Model
    from imgen_apps.jobs import Job
    from imgen_apps.stages import Stages


def open_model(task: str, name: str | None, device: str, threads: int | None) -> "Future[tuple[Model, str]]":
    """Begin to open the model that --model names, or the default one of a task, while the caller imports the rest.

    Returns:
        What comes to be the model and the SHA-256 of its file. Its ``result()`` raises ModelError, where the model is
        missing or corrupt, and DeviceError, where the device is not available.
    """
    from imgen.runtime import load
    from imgen.runtime.catalogue import default_model

    def opened() -> "tuple[Model, str]":
        source = default_model(task) if name is None else name
        return load(source, device=device, threads=threads), digest_of(source)

    return ThreadPoolExecutor(1, "model").submit(opened)


def digest_of(model: str) -> str:
    """The SHA-256 of a model's file, by the file or by its name in the catalogue."""
    from imgen.hashing import sha256_of
    from imgen.runtime.catalogue import entries

    return sha256_of(Path(model)) if Path(model).is_file() else entries()[model].sha256


def run(stages: "Stages[Any]", shared: Shared, *, name_suffix: str, model: object) -> None:
    """Take all inputs through the stages.

    Args:
        stages: of the verb.
        shared: its options.
        name_suffix: added to the names of results beside their inputs.
        model: plain values that tell the models in use from all others, for --resume.

    Raises:
        UsageError: options that make no sense together.
        ImgenError: from a single image, whose error is the answer.
        typer.Exit: the exit code, where it is not 0.
    """
    from imgen.image import file
    from imgen_apps import batch

    sources = _sources(shared)
    extension = file.suffix_for(file.format_named(shared.format)) if shared.format else None
    if "-" in sources or shared.output == "-":
        _stream(stages, sources, shared)
        return
    if shared.suffix is not None or shared.output:
        name_suffix = shared.suffix or ""
    jobs = discover(shared, shared.output, name_suffix=name_suffix, extension=extension)
    names = ("skip_existing", "overwrite", "resume", "report", "dry_run", "quiet", "debug")
    summary = batch.run(
        [replace(job, beside=stages.beside(job.source, job.target)) for job in stages.select(jobs)],
        lambda job: stages.load(job.source, job.target),
        stages.process,
        stages.save,
        is_streamed=stages.is_streamed,
        said=stages.said,
        parameters={"model": model, **stages.parameters()},
        options=batch.Options(**{name: getattr(shared, name) for name in names}),
    )
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def discover(shared: Shared, output: str | None, *, name_suffix: str, extension: str | None) -> "list[Job]":
    """One job for each image that the inputs mean; see ``imgen_apps.jobs.discover``.

    Raises:
        UsageError: there is no input, or several results would go into one file.
    """
    from imgen.image import file
    from imgen_apps import batch

    return batch.discover(
        _sources(shared),
        Path(output) if output else None,
        suffixes=file.SUFFIXES,
        recursive=shared.recursive,
        name_suffix=name_suffix,
        extension=extension,
    )


def _sources(shared: Shared) -> list[str]:
    sources = [*(shared.inputs or []), *(shared.more_inputs or [])]
    if not sources:
        raise UsageError("there is no input; name a file, a folder, a glob, or - for standard input")
    return sources


def _stream(stages: "Stages[Any]", sources: Sequence[str], shared: Shared) -> None:
    """One image of which the source, the target or both are "-": standard input, standard output."""
    if len(sources) != 1:
        raise UsageError(
            f"- stands for one image, but {len(sources)} inputs are given; name files and a folder instead"
        )
    target = None if shared.output in (None, "-") else Path(str(shared.output))
    if target is None and sys.stdout.isatty():
        raise UsageError("the image would go to the terminal; add > file.png, or --output file.png")
    data: Path | bytes = sys.stdin.buffer.read() if sources[0] == "-" else Path(sources[0])
    for path in ((target,) if target else ()) + stages.beside(data, target):
        if path.exists() and not shared.overwrite:
            raise UsageError(f"the output {path} exists already; --overwrite replaces it")
    if data == b"":
        raise ImageError("standard input is empty; pipe an image into it")
    work = stages.process(stages.load(data, target))
    words = stages.said(stages.save(work, sys.stdout.buffer if target is None else target))
    sys.stdout.flush()
    if words and not shared.quiet:
        typer.echo(words, err=True)
