"""Which files a batch works on, where each result goes, and what holds for what is there already."""

import glob
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from imgen.errors import UsageError


@dataclass(frozen=True)
class Job:
    """One file to make."""

    source: Path
    target: Path
    companions: tuple[Path, ...] = ()  # what else it is made from (a mask): when one changes, --resume does it again
    beside: tuple[
        Path, ...
    ] = ()  # what is written with it (a map): made with the target, and again where it is missing

    @property
    def results(self) -> tuple[Path, ...]:
        """All files that are written."""
        return (self.target, *self.beside)


@dataclass(frozen=True)
class Options:
    """How a batch treats what is there already, and what it says."""

    skip_existing: bool = False  # leave targets that exist as they are
    overwrite: bool = False  # replace them, even where the target is the source
    resume: bool = False  # go on with a batch that was stopped: make only what is missing or would differ
    report: Path | None = None  # JSON lines, one object a file; added to the file when resuming
    dry_run: bool = False  # only print what would be done
    quiet: bool = False  # print errors and warnings only
    debug: bool = False  # tracebacks with the errors


def discover(
    inputs: Sequence[str],
    output: Path | None,
    *,
    suffixes: Collection[str],
    recursive: bool,
    name_suffix: str,
    extension: str | None,
) -> list[Job]:
    """Turn what the user named into jobs, in a fixed order and never two with the same target.

    A folder gives its images (hidden ones aside), a glob the images it matches, and a file itself, even one that
    is missing, so that it fails alone. Below ``output`` the folders of the input are mirrored; of several
    input folders each keeps its name. Where two targets would be equal (``a.jpg`` and ``a.png`` with one
    extension forced) the second is called ``a_png``. Earlier results found among the inputs are left out.

    Args:
        inputs: files, folders and globs (``photos/**/*.jpg``).
        output: a folder; or a file, if it has a suffix and there is one input; None: beside each input.
        suffixes: what counts as an image in folders and globs, lower case with the dot.
        recursive: also look into the folders of a folder.
        name_suffix: added to the stem, unless ``output`` is a file.
        extension: of the results, like ".png"; None keeps each input's own.

    Raises:
        UsageError: nothing found, or ``output`` is a file where a folder is needed.
    """
    folders = [text for text in inputs if Path(text).is_dir()]
    found: dict[str, tuple[Path, Path]] = {}  # keyed by absolute path: a file named twice is done once
    for text in inputs:
        label = Path(Path(text).resolve().name) if len(folders) > 1 and text in folders else Path()
        for source, relative in _expand(text, output, suffixes, recursive):
            found.setdefault(same_place(source), (source, label / relative))
    if not found:
        also = "" if recursive or not folders else "; --recursive looks into its folders too"
        raise UsageError(f"no images in {', '.join(inputs)} (looked for {' '.join(sorted(suffixes))}){also}")

    if output is not None and not output.is_dir() and (output.suffix or output.exists()):
        if len(found) == 1 and not folders:
            return [Job(source, output) for source, _ in found.values()]
        if output.exists() or output.suffix.lower() in suffixes:
            raise UsageError(f"the output {output} is a file, but there may be several results; name a folder")

    jobs = [Job(s, _target(s, r, output, name_suffix, extension)) for s, r in found.values()]
    return _without_results(_distinct(jobs))


def _expand(text: str, output: Path | None, suffixes: Collection[str], recursive: bool) -> Iterator[tuple[Path, Path]]:
    """The files meant by one input, each with its path below ``output``."""
    path = Path(text)
    if path.is_dir():
        for file in _walk(path, output, recursive):
            if file.suffix.lower() in suffixes:
                yield file, file.relative_to(path)
    elif path.exists() or not glob.has_magic(text):
        yield path, Path(path.name)
    else:
        first = next(index for index, part in enumerate(path.parts) if glob.has_magic(part))
        root, pattern = Path(*path.parts[:first]), str(Path(*path.parts[first:]))
        for match in sorted(root.glob(pattern)):
            relative = match.relative_to(root)
            hidden = any(part.startswith(".") for part in relative.parts)
            if match.suffix.lower() in suffixes and not hidden and match.is_file():
                yield match, relative


def _walk(folder: Path, output: Path | None, recursive: bool) -> Iterator[Path]:
    """The visible files of a folder, sorted; an output folder inside it is not looked into."""
    results = same_place(output) if output is not None and same_place(output) != same_place(folder) else None
    for here, folders, files in os.walk(folder, onerror=_unreadable):
        yield from (Path(here, name) for name in sorted(files) if not name.startswith("."))
        visible = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [n for n in visible if same_place(Path(here, n)) != results] if recursive else []


def _unreadable(error: OSError) -> None:
    raise UsageError(f"the folder {error.filename} cannot be read: {error.strerror}") from error


def _target(source: Path, relative: Path, output: Path | None, name_suffix: str, extension: str | None) -> Path:
    named = relative.with_name(f"{source.stem}{name_suffix}{source.suffix if extension is None else extension}")
    return source.parent / named.name if output is None else output / named


def _distinct(jobs: list[Job]) -> list[Job]:
    """The same jobs, no two with one target; the job whose suffix stays as it was keeps the plain name."""
    taken: set[str] = set()
    renamed: dict[int, Job] = {}
    for index in sorted(range(len(jobs)), key=lambda i: jobs[i].source.suffix != jobs[i].target.suffix):
        source, target = jobs[index].source, jobs[index].target
        stem = target.stem
        for number in count(1):
            if same_place(target) not in taken:
                break
            tail = f"_{source.suffix[1:]}" + (f"_{number}" if number > 1 else "")
            target = target.with_name(f"{stem}{tail}{target.suffix}")
        taken.add(same_place(target))
        renamed[index] = Job(source, target)
    return [renamed[index] for index in range(len(jobs))]


def _without_results(jobs: list[Job]) -> list[Job]:
    """Leave out sources that are another job's target: they are what an earlier run made."""
    made_from = {same_place(job.target): job.source for job in jobs}
    return [job for job in jobs if made_from.get(same_place(job.source), job.source) == job.source]


def same_place(path: Path) -> str:
    """The same text for the same place, however it is written."""
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links: two names, two jobs
