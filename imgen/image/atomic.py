"""Files that appear whole or not at all."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from imgen.errors import ImageError

PARTIAL = ".imgen-*.part"
"""Pattern of the names that unfinished files have; a killed process leaves one behind."""

_REASONS = {
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "its folder is a file; choose another path",
    errno.EACCES: "permission denied; choose a folder you may write to",
    errno.EPERM: "permission denied; choose a folder you may write to",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A binary file, readable and writable, that becomes ``path`` when the block ends well.

    It lives under a temporary name in the same folder and is renamed at the end, over an existing
    file too (whose permissions it takes, and of a link the file linked to). Any exception removes it.

    Raises:
        ImageError: ``path`` is a directory or a device, or its folder is missing, read-only or full.
    """
    final = Path(os.path.realpath(path))
    partial = final.with_name(PARTIAL.replace("*", secrets.token_hex(8)))
    try:
        if final.exists() and not final.is_file():
            what = "a directory" if final.is_dir() else "not a regular file"
            raise ImageError(f"{path}: cannot be written, it is {what}; give a file name")
        with partial.open("x+b") as stream:  # not tempfile, whose files are private to the user
            yield stream
        if final.exists():
            with suppress(OSError):  # not all file systems have permissions
                shutil.copymode(final, partial)
        partial.replace(final)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise ImageError(f"{path}: cannot be written, {reason_of(error)}") from error
        raise


def reason_of(error: OSError) -> str:
    """Why a file cannot be written, and what to do."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)
