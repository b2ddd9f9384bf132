"""Names to things, with one good error for all tables."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from imgen.errors import ImgenError, UnknownNameError

T = TypeVar("T")


def find(table: Mapping[str, T], name: str, kind: str, error: type[ImgenError] = UnknownNameError) -> T:
    """The entry called ``name``.

    Args:
        table: the names there are.
        name: the one asked for.
        kind: what the table holds ("model", "engine"), for the message.
        error: raised when there is no such entry.

    >>> find({"vae": 1}, "vae", "engine")
    1
    """
    if name in table:
        return table[name]
    near = get_close_matches(name, table, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(table)) or 'none'}"
    raise error(f"no {kind} is called {name!r}; {hint}")
