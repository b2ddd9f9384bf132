"""Files of which a few may be damaged: those are named and left out."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from imgen.errors import ImageError

UNREADABLE = 0.05
"""Share of the files that may be damaged."""

_LOG = logging.getLogger("imgen")
F = TypeVar("F")
T = TypeVar("T")


def attempts(function: Callable[[F], T], files: Sequence[F]) -> Iterator[T | ImageError]:
    """What the function makes of each file, or what it complains of: in their order, several at a time."""

    def attempt(file: F) -> T | ImageError:
        try:
            return function(file)
        except ImageError as error:
            return error

    with ThreadPoolExecutor() as pool:
        yield from pool.map(attempt, files)


def leave_out(errors: Sequence[ImageError], total: int) -> None:
    """Name the files of a set that cannot be used, in one warning.

    Args:
        errors: what is wrong with them.
        total: how many files there are.

    Raises:
        ImageError: more than ``UNREADABLE`` of them.
    """
    refuse_many(errors, total)
    if errors:
        names = "; ".join(map(str, errors[:5])) + ("; ..." if len(errors) > 5 else "")
        _LOG.warning("%d of %d images left out: %s", len(errors), total, names)


def refuse_many(errors: Sequence[ImageError], total: int) -> None:
    """Do nothing, unless more than ``UNREADABLE`` of the files cannot be used.

    Raises:
        ImageError: they are too many.
    """
    if len(errors) > UNREADABLE * total:
        share = f"{len(errors)} of {total} images cannot be read, more than {UNREADABLE:.0%}"
        raise ImageError(f"{share}; repair or remove them, first of all this: {errors[0]}")
