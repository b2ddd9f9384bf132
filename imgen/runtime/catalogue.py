"""Models by name: the built-in ones, and those pulled into the cache.

``catalogue.json`` in ``imgen/models/`` lists them: name -> the fields of ``Entry``. A user's own
``catalogue.json`` in the cache directory adds to it, or replaces an entry of the same name.
"""

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from imgen.errors import ModelError
from imgen.hashing import sha256_of
from imgen.image.atomic import atomic
from imgen.lookup import find

if TYPE_CHECKING:
    from imgen.runtime.download import Progress

BUILT_IN = Path(__file__).parent.parent / "models"


@dataclass(frozen=True)
class Entry:
    """What the catalogue knows of a model; nothing of it is read from the model file."""

    name: str
    file: str  # a plain file name, in imgen/models/ or in the cache
    sha256: str
    bytes: int
    licence: str  # SPDX identifier of the weights
    task: str  # as in Spec
    card: str = ""  # file name of its model card, in imgen/models/
    urls: tuple[str, ...] = ()  # where to pull it from, in order of preference
    default: bool = False  # the model of its task when none is named

    @property
    def path(self) -> Path:
        """Where its file is, or would be once pulled."""
        built_in = BUILT_IN / self.file
        return built_in if built_in.exists() else cache_dir() / "models" / self.file


def cache_dir() -> Path:
    """Where pulled models live: IMGEN_HOME > $XDG_CACHE_HOME/imgen > the platform's own place."""
    if home := os.environ.get("IMGEN_HOME"):
        return Path(home).expanduser()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "imgen"
    return platformdirs.user_cache_path("imgen", appauthor=False)


def entries() -> dict[str, Entry]:
    """All models by name, the built-in ones first.

    Raises:
        ModelError: a catalogue that is not JSON or whose entries lack a field.
    """
    return _read(BUILT_IN / "catalogue.json") | _read(cache_dir() / "catalogue.json")


def default_model(task: str) -> str:
    """The name of the model for a task ("inpaint") when the user names none.

    Raises:
        ModelError: there is none.
    """
    for entry in entries().values():
        if entry.task == task and entry.default:
            return entry.name
    raise ModelError(f"no default model for {task!r}; name one with --model, see imgen models list")


def find_model(name: str) -> Path:
    """The verified file of the model called ``name``.

    Raises:
        ModelError: no such name, not pulled yet, or not the file that the catalogue describes.
    """
    return verify(find(entries(), name, "model", ModelError))


def is_known(data: bytes) -> bool:
    """Whether these are the bytes of a model in the catalogue, and not of just any file."""
    alike = [entry.sha256 for entry in entries().values() if entry.bytes == len(data)]
    return bool(alike) and hashlib.sha256(data).hexdigest() in alike


def weights_file(name: str) -> Path:
    """The ``.safetensors`` file beside the model called ``name``: to export or to train on from.

    Raises:
        ModelError: no such name, or it came without.
    """
    path = find(entries(), name, "model", ModelError).path.with_suffix(".safetensors")
    if not path.is_file():
        raise ModelError(f"{name}: its weights, {path}, are not there; name a .safetensors file instead")
    return path


def add(entry: Entry) -> None:
    """Enter a model whose file is in the cache into the user's own catalogue, over one of the same name.

    Raises:
        ModelError: the catalogue that is there cannot be read, or not be written.
    """
    path = cache_dir() / "catalogue.json"
    values = {each.name: asdict(each) for each in (_read(path) | {entry.name: entry}).values()}
    for value in values.values():
        del value["name"]
    try:
        with atomic(path) as file:
            file.write(json.dumps(values, indent=2).encode() + b"\n")
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror}); set IMGEN_HOME to another folder") from error


def verify(entry: Entry) -> Path:
    """The file of a model, when it is the one that the catalogue describes.

    Raises:
        ModelError: it is missing, or differs in size or SHA-256.
    """
    path = entry.path
    remedy = "install imgen again" if path.parent == BUILT_IN or not entry.urls else f"imgen models pull {entry.name}"
    if not path.is_file():
        raise ModelError(f"{entry.name}: {path} is not there; {remedy}")
    try:
        size, digest = path.stat().st_size, sha256_of(path)
    except OSError as error:
        raise ModelError(f"{entry.name}: {path} cannot be read ({error.strerror}); check its permissions") from error
    if size != entry.bytes:
        raise ModelError(f"{entry.name}: {path} has {size} bytes instead of {entry.bytes}; {remedy}")
    if digest != entry.sha256:
        raise ModelError(
            f"{entry.name}: {path} is corrupt, SHA-256 {digest[:12]}... is not {entry.sha256[:12]}...; {remedy}"
        )
    return path


def pull(name: str, progress: "Progress | None" = None) -> Path:
    """Download a model into the cache unless it is here and whole; returns its file.

    Raises:
        ModelError: no such name, IMGEN_OFFLINE=1 is set, or no address gave the right file.
    """
    entry = find(entries(), name, "model", ModelError)
    if entry.path.parent == BUILT_IN or not entry.urls:
        return verify(entry)
    with contextlib.suppress(ModelError):
        return verify(entry)
    if os.environ.get("IMGEN_OFFLINE", "0") not in ("", "0"):
        raise ModelError(f"{name}: not fetched because IMGEN_OFFLINE is set; unset it, or put the file at {entry.path}")
    from imgen.runtime.download import fetch  # with what speaks https, for which nothing else has a use

    target = cache_dir() / "models" / entry.file
    fetch(entry.urls, target, size=entry.bytes, sha256=entry.sha256, progress=progress)
    return target


def _read(path: Path) -> dict[str, Entry]:
    """The entries of one catalogue; none where there is no such file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = {name: Entry(name, **{**entry, "urls": tuple(entry.get("urls", ()))}) for name, entry in values.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a catalogue of models ({error}); mend or remove it") from error
    for entry in found.values():
        if Path(entry.file).name != entry.file:
            raise ModelError(
                f"{path}: {entry.name} names the file {entry.file!r}, but folders are not allowed; mend it"
            )
    return found
