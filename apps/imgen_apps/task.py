"""One file on its way through a batch: what is known of it, and what goes wrong with it alone."""

import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imgen.errors import DeviceError, ImgenError, ModelError
from imgen_apps.jobs import Job


@dataclass
class Task:
    """A job and what came of it; its stages run in different threads, one after the other."""

    job: Job
    status: str = "running"  # then "done", "skipped" or "failed"
    value: Any = None  # what the last stage made; dropped when written
    digest: str = ""  # of the job's files
    reason: str = ""  # why it was skipped or failed
    failure: Exception | None = None
    trace: str = ""
    seconds: float = 0.0  # of work, without waiting
    warnings: list[str] = field(default_factory=list)
    extra: Mapping[str, object] = field(default_factory=dict)  # what saving returned
    told: Callable[[float], None] | None = None  # how far it has got, where that is shown

    def record(self) -> dict[str, object]:
        """The object for the report."""
        return {
            **self.extra,
            "source": str(self.job.source),
            "target": str(self.job.target),
            "status": self.status,
            "seconds": round(self.seconds, 4),
            "error": self.reason if self.status == "failed" else None,
            "warnings": self.warnings,
        }


class _Current(threading.local):
    """The task a thread is working on."""

    task: Task | None = None


_current = _Current()


def tell(part: float) -> None:
    """Say, in a stage that takes long in the caller's thread, how much of it has been done, 0..1."""
    if _current.task is not None and _current.task.told is not None:
        _current.task.told(part)


@contextmanager
def stage(task: Task) -> Iterator[None]:
    """Time a stage of a task, and keep what goes wrong in it to this task."""
    _current.task, start = task, time.perf_counter()
    try:
        yield
    except (ModelError, DeviceError):
        raise
    except Exception as error:
        task.status, task.value = "failed", None
        task.reason, task.trace, task.failure = _explain(error, task.job.source), traceback.format_exc(), error
    finally:
        task.seconds += time.perf_counter() - start
        _current.task = None


def _explain(error: Exception, source: Path) -> str:
    """One line: which file, what is wrong."""
    if isinstance(error, ImgenError):
        text = str(error)
    elif isinstance(error, MemoryError):
        text = "not enough memory; close other programs or make the image smaller"
    elif isinstance(error, OSError):
        text = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
    else:
        first = (str(error).splitlines() or [""])[0]
        text = f"unexpected {type(error).__name__}: {first} (--debug shows where)"
    return text if source.name in text else f"{source}: {text}"


@contextmanager
def collect_warnings() -> Iterator[None]:
    """Collect the warnings that stages give with the task they are about, also when they repeat."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def collect(message: Warning | str, *where: Any, **more: Any) -> None:
            if _current.task is None:
                show(message, *where, **more)
            else:
                _current.task.warnings.append(str(message))

        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = collect
        yield
