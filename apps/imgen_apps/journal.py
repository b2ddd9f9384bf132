"""What a batch has made so far, so that a killed run can go on where it stopped.

Each output folder holds one hidden file of JSON lines that is only ever appended to. A result is noted
twice: *begun* before it is written, *done* after it was renamed into place. After a kill between the two,
what stood at the target when it began tells whether the rename took place: no result is ever made twice.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgen.errors import UsageError
from imgen_apps.jobs import Job

NAME = ".imgen-journal.jsonl"


class Journal:
    """The journals of all output folders of one batch.

    Args:
        parameters: all that decides what a result looks like, beside the files: plain values, and hashes of models.
    """

    def __init__(self, parameters: Mapping[str, object]):
        text = json.dumps(parameters, sort_keys=True, default=str)
        self._parameters = hashlib.sha256(text.encode()).hexdigest()
        self._folders: dict[Path, dict[str, dict[str, Any]]] = {}

    def known(self, target: Path) -> bool:
        """Whether an earlier run made this file, or set out to."""
        return target.name in self._entries(target.parent)

    def finished(self, job: Job, digest: str) -> bool:
        """Whether all results are there and were made with these parameters from files with this digest."""
        entry = self._entries(job.target.parent).get(job.target.name)
        now = _stamp(job.target)
        if entry is None or now is None or entry["parameters"] != self._parameters:
            return False
        if not all(path.exists() for path in job.beside):
            return False
        if entry["state"] == "begun" and entry["stamp"] == now:
            return False  # nothing was renamed into place
        if job.source.samefile(job.target):
            # Its own input is gone, so the digest says nothing; but nobody has touched the result since.
            return entry["state"] == "begun" or entry["stamp"] == now
        return bool(entry["digest"] == digest)

    def begin(self, job: Job, digest: str) -> None:
        """Note that the target is about to be written."""
        self._append(job, digest, "begun")

    def done(self, job: Job, digest: str) -> None:
        """Note that the target has been written."""
        self._append(job, digest, "done")

    def _entries(self, folder: Path) -> dict[str, dict[str, Any]]:
        """The last entry of each target in a folder, as the run before left it; read once."""
        if folder not in self._folders:
            self._folders[folder] = _read(folder / NAME)
        return self._folders[folder]

    def _append(self, job: Job, digest: str, state: str) -> None:
        entry = {
            "target": job.target.name,
            "state": state,
            "digest": digest,
            "parameters": self._parameters,
            "stamp": _stamp(job.target),
        }
        # One unbuffered write in append mode: whole or, when the machine fails under it, torn at the
        # end of the file. Each line starts with its newline, so that a torn one spoils only itself.
        with (job.target.parent / NAME).open("ab", buffering=0) as file:
            file.write(b"\n" + json.dumps(entry).encode())


def digest_of(job: Job) -> str:
    """SHA-256 over the contents of the source and its companions.

    Raises:
        OSError: one of them cannot be read.
    """
    whole = hashlib.sha256()
    for path in (job.source, *job.companions):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _read(path: Path) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return entries
    except OSError as error:
        raise UsageError(f"{path}: the journal cannot be read: {error.strerror}; resume is not possible") from error
    for line in lines:
        try:
            entry = json.loads(line)
            if {"state", "digest", "parameters", "stamp"} <= entry.keys():
                entries[entry["target"]] = entry
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # torn by a kill: its file is done again
    return entries


def _stamp(path: Path) -> list[int] | None:
    """What tells one version of a file from another; None when there is no file."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return [status.st_size, status.st_mtime_ns]
