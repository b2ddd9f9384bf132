"""Who minimises what: one file per method, named as its paper names it."""

from imgen.engines.engine import Engine

ENGINES: dict[str, type[Engine]] = {}
