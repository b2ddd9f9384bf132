"""What the verbs that work on images share: the model they run, and images through standard input and output."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from imgen.errors import ImageError, UsageError

if TYPE_CHECKING:
    from imgen.runtime import Model

L = TypeVar("L")
R = TypeVar("R")


def open_model(task: str, name: str | None, device: str, threads: int | None) -> "tuple[Model, str]":
    """The model that --model names, or the default one of a task, and the SHA-256 of its file.

    Raises:
        ModelError: it is missing or corrupt.
        DeviceError: the device is not available.
    """
    from imgen.runtime import load
    from imgen.runtime.catalogue import default_model, entries
    from imgen.runtime.download import sha256_of

    source = default_model(task) if name is None else name
    model = load(source, device=device, threads=threads)
    return model, sha256_of(Path(source)) if Path(source).is_file() else entries()[source].sha256


def stream(
    sources: Sequence[str],
    output: str | None,
    load: Callable[[Path | bytes], L],
    process: Callable[[L], R],
    save: Callable[[R, Path | BinaryIO], object],
    *,
    overwrite: bool,
) -> None:
    """One image of which the source, the target or both are "-": standard input, standard output.

    Raises:
        UsageError: several images, an output that exists, or a terminal where a file should be.
        ImageError: the image cannot be read or written.
    """
    if len(sources) != 1:
        raise UsageError(
            f"- stands for one image, but {len(sources)} inputs are given; name files and a folder instead"
        )
    target = None if output in (None, "-") else Path(str(output))
    if target is None and sys.stdout.isatty():
        raise UsageError("the image would go to the terminal; add > file.png, or --output file.png")
    if target is not None and target.exists() and not overwrite:
        raise UsageError(f"the output {target} exists already; --overwrite replaces it")
    data: Path | bytes = sys.stdin.buffer.read() if sources[0] == "-" else Path(sources[0])
    if data == b"":
        raise ImageError("standard input is empty; pipe an image into it")
    save(process(load(data)), sys.stdout.buffer if target is None else target)
    sys.stdout.flush()
