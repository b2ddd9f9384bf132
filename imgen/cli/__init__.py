"""The command line: one thin file for each group of verbs."""

import atexit
import gc
import sys

# What is imported stays to the end: looking for what could go takes a tenth of the time of a short command.
gc.set_threshold(20_000, 10, 10)


def _stop_looking() -> None:
    """The process gives everything back itself; but parts of torch count what is left, and complain."""
    if "torch" not in sys.modules:
        gc.freeze()


atexit.register(_stop_looking)
