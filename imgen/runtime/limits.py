"""What a model file may take that nobody vouches for: the memory that is free, and so much time.

A file of a hundred bytes can ask for more memory than the machine has, and the system ends whoever takes it. So while
such a file is opened or run, the address space of the process may not grow by more than what is free; what does not
fit is then an error like any other. Only Linux tells and keeps such a limit.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from imgen.runtime.memory import available

SECONDS = 600.0
"""For opening a file, and for each call."""

_lock = threading.Lock()
_inside = 0  # calls that are under way
_before = 0  # the limit without them


@contextlib.contextmanager
def free_memory_only() -> Iterator[None]:
    """Fail to get more memory than is free, in all threads, until the last of those who asked for this is done."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    global _inside, _before  # noqa: PLW0603 - the limit is the process's own
    with _lock:
        if not _inside:
            _before, most = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (_lower(_before, most), most))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                resource.setrlimit(resource.RLIMIT_AS, (_before, resource.getrlimit(resource.RLIMIT_AS)[1]))


@contextlib.contextmanager
def in_time(stop: Callable[[], None]) -> Iterator[threading.Event]:
    """Call ``stop`` after ``SECONDS``, unless it is over by then; the event says whether it was called."""
    late = threading.Event()

    def end() -> None:
        late.set()
        stop()

    timer = threading.Timer(SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _lower(soft: int, hard: int) -> int:
    """The address space in use and what is free, unless there is a lower limit already; -1 is none."""
    free = available()
    if free is None:
        return soft
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    import resource

    wanted = pages * resource.getpagesize() + free
    return min([wanted, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)])
