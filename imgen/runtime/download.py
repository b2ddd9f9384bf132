"""Fetch a file of known size and hash: resumed where it broke off, checked, then renamed into place."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from imgen.errors import ModelError
from imgen.hashing import sha256_of

Progress = Callable[[int, int], None]
"""Called with the number of bytes that are here and the number there will be."""

_CHUNK = 1 << 18
_TIMEOUT = 30  # seconds without a byte


class _SourceError(Exception):
    """This server will not give the rest; the message says why."""


def fetch(urls: Iterable[str], target: Path, *, size: int, sha256: str, progress: Progress | None = None) -> None:
    """Download to ``target`` from the first of ``urls`` that has the right file.

    What has arrived is kept in ``target`` + ".part" when a connection breaks, here and at the next call.

    Args:
        urls: http or https, in order of preference; they hold the same file.
        target: replaced whole or not at all.
        size: in bytes; a server that sends more is cut off.
        sha256: hexadecimal.
        progress: called as bytes arrive.

    Raises:
        ModelError: no URL has it, or the disk cannot take it.
    """
    part = target.with_name(target.name + ".part")
    reasons = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            try:
                _fetch_checked(url, part, size, sha256, progress)
            except _SourceError as error:
                reasons.append(f"{url}: {error}")
                continue
            part.replace(target)
            return
    except OSError as error:  # of the file: those of the network have become _SourceError
        raise ModelError(f"{target}: cannot be written ({error.strerror}); free space or set IMGEN_HOME") from error
    raise ModelError(f"{target.name} could not be fetched: {'; '.join(reasons) or 'no address is known'}; try again")


def _fetch_checked(url: str, part: Path, size: int, sha256: str, progress: Progress | None) -> None:
    if not url.startswith(("http://", "https://")):
        raise _SourceError("only http and https addresses are fetched")
    resumed = part.exists()
    _fetch_all(url, part, size, progress)
    if resumed and sha256_of(part) != sha256:  # the old part may be at fault, not this server
        part.unlink()
        _fetch_all(url, part, size, progress)
    if sha256_of(part) != sha256:
        part.unlink()
        raise _SourceError("not the file it should be (SHA-256 differs)")


def _fetch_all(url: str, part: Path, size: int, progress: Progress | None) -> None:
    """Ask again where the connection breaks, for as long as each attempt brings something."""
    with part.open("ab") as file:
        if file.tell() > size:
            _empty(file)
        while (before := file.tell()) < size:
            reason = _fetch_some(url, file, size, progress)
            if file.tell() <= before:
                raise _SourceError(reason or f"ended after {before} of {size} bytes")


def _fetch_some(url: str, file: BinaryIO, size: int, progress: Progress | None) -> str | None:
    """Append what one request brings; returns why it ended early, if the server said so."""
    headers = {"User-Agent": "imgen"}
    if start := file.tell():
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _reason(error)
    with response:
        if start and (response.status != 206 or not _starts_at(response, start)):
            _empty(file)  # a server that knows no ranges sends all of it
        while (missing := size - file.tell()) > 0:
            try:
                chunk = response.read(min(_CHUNK, missing))
            except (OSError, http.client.HTTPException) as error:
                return _reason(error)
            if not chunk:
                return None
            file.write(chunk)
            if progress:
                progress(file.tell(), size)
    return None


def _starts_at(response: http.client.HTTPResponse, start: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
