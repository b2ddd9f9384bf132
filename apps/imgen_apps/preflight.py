"""What must hold before a batch touches anything."""

import os
from collections.abc import Sequence
from pathlib import Path

from imgen.errors import UsageError
from imgen.image.atomic import PARTIAL
from imgen_apps.jobs import Job, Options, same_place
from imgen_apps.journal import Journal


def check(jobs: Sequence[Job], options: Options, journal: Journal) -> None:
    """Refuse a batch that would destroy something, or could write nothing.

    Raises:
        UsageError: contradicting options; targets that exist, are inputs or are equal; a report in the place
            of an image; a folder that cannot be written to.
    """
    if options.skip_existing and options.overwrite:
        raise UsageError("--skip-existing and --overwrite contradict each other; give one of them")
    results: dict[str, tuple[Job, Path]] = {}
    for job in jobs:
        for path in job.results:
            other, same = results.setdefault(same_place(path), (job, path))
            if other is not job:
                raise UsageError(f"{other.source} and {job.source} would both become {path}; rename one of them")
            if same is not path:
                raise UsageError(f"{path} would be written twice of {job.source}; choose two names")
    _check_inputs(jobs, results, options)
    _check_existing(jobs, options, journal)
    to_do = [job for job in jobs if not (options.skip_existing and job.target.exists())]
    for folder in dict.fromkeys(path.parent for job in to_do for path in job.results):
        _check_folder(folder)


def sweep(jobs: Sequence[Job]) -> None:
    """Remove the unfinished files that a killed run left in the output folders."""
    for folder in {path.parent for job in jobs for path in job.results}:
        for partial in folder.glob(PARTIAL):
            partial.unlink(missing_ok=True)


def _check_inputs(jobs: Sequence[Job], results: dict[str, tuple[Job, Path]], options: Options) -> None:
    """No file is read after it was replaced, and none is replaced unless that was asked for."""
    for job in jobs:
        for path in (job.source, *job.companions):
            other, clash = results.get(same_place(path), (None, None))
            in_place = other is job and clash == job.target and path == job.source
            if clash is not None and not in_place:
                raise UsageError(f"the output {clash} is also an input of {job.target}; choose another output")
        if not options.overwrite and job.source.exists() and job.target.exists() and job.source.samefile(job.target):
            raise UsageError(f"the output {job.target} is its own input; choose another, or --overwrite to replace it")
    if options.report is not None:
        images = set(results) | {same_place(path) for job in jobs for path in (job.source, *job.companions)}
        if same_place(options.report) in images:
            raise UsageError(f"the report {options.report} would replace an image; choose another name")


def _check_existing(jobs: Sequence[Job], options: Options, journal: Journal) -> None:
    """Nothing is replaced by default; a resumed batch replaces what it made before."""
    if options.skip_existing or options.overwrite:
        return
    asked = [job for job in jobs if not (options.resume and journal.known(job.target))]
    existing = [path for job in asked for path in job.results if path.exists()]
    if existing:
        some = f"{existing[0]} exists" if len(existing) == 1 else f"{existing[0]} and {len(existing) - 1} more exist"
        remedy = "--overwrite replaces, --skip-existing keeps" if options.resume else ""
        remedy = remedy or "--overwrite replaces, --skip-existing keeps, --resume goes on with an earlier run"
        since = " and not from an earlier run" if options.resume else ""
        raise UsageError(f"the output {some} already{since}; {remedy}")


def _check_folder(folder: Path) -> None:
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not there.is_dir():
        raise UsageError(f"cannot make the folder {folder}: {there} is a file; choose another output")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write into {there}: it is read-only for you; choose another output folder")
