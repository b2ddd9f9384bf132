"""The record of a batch that programs read: JSON lines."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from imgen.errors import UsageError


class Report:
    """A file to which each object is added as soon as it is known, so that a killed run has one too.

    Args:
        path: where to; None keeps no record.
        keep: add to what the file holds instead of beginning anew.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path | None, *, keep: bool):
        self._path, self._file = path, None if path is None else _open(path, keep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, values: Mapping[str, object]) -> str:
        """Write one object; what went wrong, in words, if the file cannot be written any more."""
        if self._file is None:
            return ""
        try:
            self._file.write(json.dumps(values, default=str).encode() + b"\n")
        except OSError as error:
            self._file.close()
            self._file = None  # the images matter more: go on without
            return f"{self._path}: the report ends here: {error.strerror}"
        return ""


def _open(path: Path, keep: bool) -> IO[bytes]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab" if keep else "wb", buffering=0)
    except OSError as error:
        raise UsageError(f"{path}: the report cannot be written: {error.strerror}; choose another name") from error
