"""What takes how long, by turns: each contestant lives in a process of its own, and all wait while one works.

So neither a machine that is busy for a while nor what one contestant leaves in memory falls to one of them alone.
"""

import contextlib
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from imgen.errors import ImgenError, ModelError

Work = Callable[[], object]


class Contestant(NamedTuple):
    """What is timed."""

    name: str
    prepare: Callable[..., Work]  # takes the number of threads and the arguments; runs in the contestant's process
    arguments: tuple[Any, ...]
    operations: float = 0.0  # useful floating-point operations of a round, where they are known
    threads: int | None = None  # None: all cores


class Rounds(NamedTuple):
    """What became of a contestant, in the order of the rounds."""

    walls: tuple[float, ...]  # seconds
    processors: tuple[float, ...]  # seconds, of all threads
    memory: int  # bytes, the peak of the process; 0 where the system does not tell
    startup: float  # seconds from the start of the process to the end of a first round, which does not count


def race(contestants: Sequence[Contestant], rounds: int) -> list[Rounds]:
    """Let all of them do their work so many times, taking turns.

    Raises:
        ImgenError: what the work of one of them raised.
        ModelError: one of them died, as when memory does not suffice for all.
    """
    spawn = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        lines, startups = [], []
        for contestant in contestants:
            here, there = spawn.Pipe()
            stack.callback(here.close)  # which ends the process
            began = time.perf_counter()
            spawn.Process(target=_serve, args=(there, contestant), daemon=True).start()
            there.close()
            _answer(here, contestant)
            lines.append(here)
            startups.append(time.perf_counter() - began)
        times: list[list[tuple[float, float]]] = [[] for _ in lines]
        for _ in range(rounds):
            for contestant, line, own in zip(contestants, lines, times, strict=True):
                line.send(True)
                own.append(_answer(line, contestant))
        results = []
        for contestant, line, own, startup in zip(contestants, lines, times, startups, strict=True):
            line.send(False)
            walls, processors = zip(*own, strict=True)
            results.append(Rounds(walls, processors, _answer(line, contestant), startup))
    return results


def _answer(line: Connection, contestant: Contestant) -> Any:
    try:
        answer = line.recv()
    except EOFError as error:
        raise ModelError(
            f"{contestant.name}: its process died; memory may not suffice for all that take turns"
        ) from error
    if isinstance(answer, ImgenError):
        raise answer
    return answer


def _serve(line: Connection, contestant: Contestant) -> None:
    """A round whenever it is asked for, and the peak of memory at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is for who asks
    with contextlib.suppress(EOFError, BrokenPipeError):
        try:
            work = contestant.prepare(contestant.threads, *contestant.arguments)
            work()
            line.send("ready")
            while line.recv():
                wall, processor = time.perf_counter(), time.process_time()
                work()
                line.send((time.perf_counter() - wall, time.process_time() - processor))
        except ImgenError as error:
            line.send(error)
            return
        line.send(_peak_memory())


def _peak_memory() -> int:
    """Bytes that this process had at most; 0 where nothing tells."""
    with contextlib.suppress(OSError):  # Linux; what getrusage says there may be of the process that started this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0
