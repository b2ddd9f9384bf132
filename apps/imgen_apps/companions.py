"""Files that belong to the images of a batch: their masks, their instance maps."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from imgen.errors import ImageError, UsageError
from imgen_apps.jobs import Job


class Companions:
    """One file for all images, or those of a folder and the folders in it, each found by the stem of its image.

    Args:
        path: of the file or of the folder, which mirrors the folders of the images, or is flat.
        suffixes: of the files of a folder that count, lower case with the dot.
        what: each of them is, in messages.
    """

    def __init__(self, path: Path, suffixes: Collection[str], what: str = "mask"):
        self.path, self.what = path, what
        self._many, self._files = path.is_dir(), dict[Path, list[Path]]()
        for file in sorted(path.rglob("*")):  # nothing below a file
            if file.suffix.lower() in suffixes and not file.name.startswith("."):
                self._files.setdefault(file.relative_to(path).with_suffix(""), []).append(file)

    def of(self, image: Path | bytes) -> Path:
        """That of an image; where two share its stem, the one that shares its name too.

        Of the folders that the image is in, as many count as there are in the folder of companions.

        Raises:
            ImageError: there is none, or one cannot tell which.
            UsageError: the image has no name.
        """
        if not self._many:
            return self.path
        if isinstance(image, bytes):
            raise UsageError(
                f"an image from standard input has no name to find its {self.what} by in {self.path}; name one file"
            )
        inner = image.with_suffix("")
        for depth in range(len(inner.parts), 0, -1):
            found = self._files.get(Path(*inner.parts[-depth:]), [])
            if named := [file for file in found if file.name == image.name]:
                return named[0]
            if len(found) > 1:
                raise ImageError(f"{image}: {found[0]} and {found[1].name} could both be its {self.what}; remove one")
            if found:
                return found[0]
        raise ImageError(f"{image}: no {self.what} called {image.stem}.* in {self.path}")

    def beside(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs whose images are none of these themselves, each with its own beside it."""
        return [self._with_its_own(job) for job in jobs if not self.holds(job.source)]

    def _with_its_own(self, job: Job) -> Job:
        try:
            return replace(job, companions=(self.of(job.source),))
        except ImageError:
            return job  # loading it will say so, of this file alone

    def holds(self, image: Path) -> bool:
        """Whether a file found among the images is one of these."""
        image, path = image.resolve(), self.path.resolve()
        return image.is_relative_to(path) if self._many else image == path
