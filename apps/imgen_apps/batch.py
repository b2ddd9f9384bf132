"""Many files through one function: checked first, loaded ahead, isolated from each other, written in the background.

At most three images are in memory: one is loaded while one is worked on and one is written.
What a stage warns of (``warnings.warn``) is shown and reported with the file it belongs to.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from imgen.errors import ImgenError
from imgen_apps.jobs import Job, Options, discover
from imgen_apps.journal import Journal, digest_of
from imgen_apps.preflight import check, sweep
from imgen_apps.progress import Progress
from imgen_apps.report import Report
from imgen_apps.task import Task, collect_warnings, stage

__all__ = ["Job", "Options", "Summary", "discover", "run"]

L = TypeVar("L")
R = TypeVar("R")


@dataclass
class Summary:
    """What came of a batch."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """0: all well; 1: some files failed; 130: stopped by the user."""
        return 130 if self.interrupted else 1 if self.failed else 0

    def __str__(self) -> str:
        """The last line of a run."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        failed = f", {self.failed} failed" if self.failed else ""
        rate = f" ({self.done / self.seconds:.1f} a second)" if self.done and self.seconds else ""
        return f"{self.done} done{skipped}{failed} in {self.seconds:.1f} s{rate}"


def run(
    jobs: Sequence[Job],
    load: Callable[[Job], L],
    process: Callable[[L], R],
    save: Callable[[R, Path], Mapping[str, object] | None],
    *,
    is_streamed: Callable[[R], bool] = lambda _: False,
    said: Callable[[Mapping[str, Any]], str] = lambda _: "",
    parameters: Mapping[str, object],
    options: Options,
) -> Summary:
    """Do all jobs, in order; a file that fails does not stop the others.

    Args:
        jobs: what ``discover`` returned.
        load: reads what a job is made from; called in a thread of its own, one file ahead.
        process: the work; called in the caller's thread.
        save: writes the target under a temporary name and renames it (``imgen.image.atomic``); called in a
            thread of its own. What it returns is added to the file's object in the report.
        is_streamed: whether saving works most of it out: then nothing else is saved meanwhile, and it is called in
            the caller's thread, where Ctrl-C stops it; it may ``tell`` how far it has got.
        said: what is shown of a file that is done behind its name, by what saving returned.
        parameters: all that decides what a result looks like, beside the files of a job; --resume compares them.
        options: what to do with existing files, and what to say.

    Raises:
        UsageError: options that contradict each other; targets that exist, are inputs, or cannot be written.
            Nothing has been touched then.
        ModelError, DeviceError: from any stage: they would meet every file.
        ImgenError: from a batch of one file, whose error is the answer.
    """
    journal = Journal(parameters)
    check(jobs, options, journal)
    alone = len(jobs) == 1
    # A single file leaves no journal beside it: running it again is as good as resuming.
    noted = options.resume or not (alone or options.dry_run)
    stages = _Stages(load, process, save, is_streamed, options, journal if noted else None)
    if options.dry_run:
        return _rehearse(jobs, stages)
    if options.resume:
        sweep(jobs)
    summary, start = Summary(), time.monotonic()
    with (
        Report(options.report, keep=options.resume) as report,
        Progress(len(jobs), quiet=options.quiet) as progress,
        collect_warnings(),
    ):

        def finish(task: Task) -> None:
            failure, task.failure = task.failure, None  # its traceback would keep the image in memory
            trouble = report.add(task.record())
            if alone and isinstance(failure, ImgenError):
                raise failure
            _account(task, summary, progress, options, said)
            if trouble:
                progress.say(f"warning: {trouble}")

        try:
            _flow(jobs, stages, finish, progress.within)
        except KeyboardInterrupt:
            summary.interrupted = True
        summary.seconds = time.monotonic() - start
        if summary.interrupted:
            progress.say("interrupted" if alone else f"interrupted: {summary}; add --resume to go on")
        elif not (alone or options.quiet):
            progress.say(str(summary))
    return summary


@dataclass(frozen=True)
class _Stages(Generic[L, R]):
    """The three functions of a batch, with what goes on around them."""

    load: Callable[[Job], L]
    process: Callable[[L], R]
    save: Callable[[R, Path], Mapping[str, object] | None]
    is_streamed: Callable[[R], bool]
    options: Options
    journal: Journal | None

    def loaded(self, task: Task) -> Task:
        with stage(task):
            self.decide(task)
            if task.status == "running":
                task.value = self.load(task.job)
        return task

    def decide(self, task: Task) -> None:
        """Skip a task that has nothing to do."""
        if self.options.skip_existing and task.job.target.exists():
            task.status, task.reason = "skipped", "the output exists"
        elif self.journal is not None:
            with suppress(OSError):  # a file that cannot be read is for load to complain of
                task.digest = digest_of(task.job)
            if self.options.resume and task.digest and self.journal.finished(task.job, task.digest):
                task.status, task.reason = "skipped", "done in an earlier run"

    def processed(self, task: Task) -> None:
        if task.status == "running":
            with stage(task):
                task.value = self.process(task.value)

    def saved(self, task: Task) -> Task:
        if task.status == "running":
            with stage(task):
                for path in task.job.results:
                    path.parent.mkdir(parents=True, exist_ok=True)
                if self.journal is not None:
                    self.journal.begin(task.job, task.digest)
                task.extra = self.save(task.value, task.job.target) or {}
                if self.journal is not None:
                    with suppress(
                        OSError
                    ):  # as on a disk just filled: that it began, and what is there now, tells as much
                        self.journal.done(task.job, task.digest)
                task.status = "done"
        task.value = None
        return task


def _flow(
    jobs: Sequence[Job], stages: _Stages[L, R], finish: Callable[[Task], None], told: Callable[[float], None]
) -> None:
    """Bring all jobs through the stages; what has been worked out when this is interrupted is still written."""
    with ThreadPoolExecutor(1, "load") as loader, ThreadPoolExecutor(1, "save") as saver:
        waiting = iter(jobs)
        loads = deque(loader.submit(stages.loaded, Task(job)) for job in islice(waiting, 1))
        saves: deque[Future[Task]] = deque()

        def wait_for_saves(left: int) -> None:
            while len(saves) > left:
                saves[0].result()  # waits; if that is interrupted the task is still in the queue
                finish(saves.popleft().result())

        try:
            while loads:
                loads.extend(loader.submit(stages.loaded, Task(job)) for job in islice(waiting, 1))
                task = loads.popleft().result()
                stages.processed(task)
                if task.status == "running" and stages.is_streamed(task.value):
                    wait_for_saves(0)
                    task.told = told
                    finish(stages.saved(task))
                else:
                    saves.append(saver.submit(stages.saved, task))
                    wait_for_saves(1)
        finally:
            loader.shutdown(wait=False, cancel_futures=True)
            while saves:
                finish(saves.popleft().result())


def _rehearse(jobs: Sequence[Job], stages: _Stages[L, R]) -> Summary:
    """Print what would be done."""
    summary = Summary()
    for job in jobs:
        task = Task(job)
        stages.decide(task)
        summary.skipped += task.status == "skipped"
        print(f"{job.source}: skipped, {task.reason}" if task.reason else f"{job.source} -> {job.target}")
    return summary


def _account(
    task: Task, summary: Summary, progress: Progress, options: Options, said: Callable[[Mapping[str, Any]], str]
) -> None:
    """Count and show a task that is through."""
    source, target = str(task.job.source), str(task.job.target)
    for text in task.warnings:
        progress.say(f"warning: {source}: {text}")
    if task.status == "done":
        summary.done += 1
        words = said(task.extra)
        progress.advance(f"{source} -> {target} ({task.seconds:.2f} s)" + (f" {words}" if words else ""))
    elif task.status == "skipped":
        summary.skipped += 1
        progress.advance(f"{source}: skipped, {task.reason}")
    else:
        summary.failed += 1
        progress.fail(task.reason + (f"\n{task.trace}" if options.debug else ""))
