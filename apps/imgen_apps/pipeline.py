"""What all pipelines share: a model made for their task, and images that come out as the kind they went in."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
import PIL.Image

from imgen.errors import ImageError, ModelError, UsageError
from imgen.image import file
from imgen.image.atomic import atomic
from imgen.image.encode import check, check_size
from imgen.image.pixels import all_or_nothing, to_8bit
from imgen.image.tensor import Size
from imgen.runtime import Model

Pixels = npt.NDArray[Any]  # H x W x C, uint8, uint16, float32 or float64 in 0..1
Image = TypeVar("Image", bound=str | Path | bytes | PIL.Image.Image | npt.NDArray[Any])
Change = Callable[[list[Pixels]], bool]

GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""What red, green and blue add to grey: ITU-R BT.601, as Pillow and OpenCV."""


class Pipeline:
    """One task: photos of any size, depth and kind in, photos of the same kind out.

    A pipeline keeps nothing between calls, so threads may share one.

    Args:
        model: trained for this task; see ``imgen.runtime.load``.

    Raises:
        ModelError: the model was made for another task.
    """

    task: ClassVar[str]

    def __init__(self, model: Model):
        if model.spec.task != self.task:
            raise ModelError(
                f"{model.spec.name} is a model for {model.spec.task!r}, not for {self.task!r}; choose another"
            )
        self.model = model


def edit(
    image: Image,
    change: Change,
    *,
    name_suffix: str,
    output: str | Path | None = None,
    size: Callable[[int, int], Size] = lambda height, width: (height, width),
    edited: str = "",
) -> Image:
    """Apply ``change`` to an image of any kind; what the caller gave is left as it was.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array H x W or H x W x C (C = 1 grey,
            2 grey + alpha, 3 RGB, 4 RGBA; unsigned 8 or 16 bit, or floats in 0..1).
        change: given the frames (upright; one, unless a file is animated), changes them or replaces them in
            the list, and says whether it did.
        name_suffix: added to the name of a path, for the file to write.
        output: of a path, the file to write instead; replaced if it exists.
        size: of what ``change`` makes of a height and a width, where that is not the same.
        edited: what the metadata of a changed file are to say, see ``imgen.image.metadata.Metadata.edited_with``.

    Returns:
        The same kind as ``image``: the path written, the bytes of a file of the same format, an image of the same
        mode (RGB or RGBA of modes other than 1, L, LA, RGB, RGBA and I;16), an array of the same axes and type. Where
        ``change`` made grey coloured, it is; a PIL image then has 8 bits.

    Raises:
        ImageError: the image cannot be read or written; what the format cannot hold is refused before the change.
        UsageError: it is of no kind listed above.
    """
    result: Any
    if output is not None and not isinstance(image, str | Path):
        raise UsageError(f"output= is for an image given by its path, not for {type(image).__name__}")
    if isinstance(image, str | Path):
        result = type(image)(_edit_file(Path(image), change, name_suffix, output, size, edited=edited))
    elif isinstance(image, bytes):
        result = _edit_bytes(image, change, size, edited=edited)
    elif isinstance(image, PIL.Image.Image):
        result = _edit_pil(image, change)
    elif isinstance(image, np.ndarray):
        result = _edit_array(image, change)
    else:
        raise UsageError(f"an image is a path, bytes, a PIL image or an array, not {type(image).__name__}")
    return result


def sizes_after(
    picture: file.Picture, size: Callable[[int, int], Size], name: str, format_: str, *, may_round: bool
) -> list[Size]:
    """The sizes that the frames of a picture are going to have.

    Args:
        picture: as read.
        size: of what becomes of a height and a width.
        name: of the target, for messages.
        format_: Pillow's name of the format to be written.
        may_round: 16 bits may become 8.

    Raises:
        ImageError: the format cannot hold the result, or ``size`` says that there is none.
    """
    check(name, picture.frames, picture.format, format_, may_round=may_round)
    sizes = [size(*frame.shape[:2]) for frame in picture.frames]
    for height, width in sizes:
        check_size(name, height, width, format_)
    return sizes


def write_or_copy(
    picture: file.Picture,
    source: Path | bytes,
    target: Path | BinaryIO,
    *,
    changed: bool,
    format: str | None = None,  # noqa: A002
    quality: int | None = None,
    strip_metadata: bool = False,
) -> None:
    """Write a picture; one that was not changed and keeps its format is copied as the file it is.

    Args:
        picture: to write, with ``format``, ``quality`` and ``strip_metadata`` as in ``imgen.image.file.write``.
        source: what it was read from.
        target: a path, or a file open for writing.
        changed: whether anything was changed since.

    Raises:
        ImageError: the target cannot be written.
        UsageError: the name of the target and its format contradict each other.
    """
    chosen = file.format_named(format) if format else None
    if isinstance(target, Path):
        chosen = file.format_for(target, chosen, picture.format)
    if changed or quality is not None or strip_metadata or chosen not in (None, picture.format):
        file.write(picture, target, format=format, quality=quality, strip_metadata=strip_metadata)
        return
    written = atomic(target) if isinstance(target, Path) else nullcontext(target)
    with written as to, source.open("rb") if isinstance(source, Path) else BytesIO(source) as read:
        shutil.copyfileobj(read, to)


def first_frame(image: Any) -> Pixels:
    """The first frame of an image of any kind that ``edit`` takes.

    Raises:
        ImageError: it cannot be read.
        UsageError: it is of no such kind.
    """
    if isinstance(image, str | Path | bytes):
        return file.read(image if isinstance(image, bytes) else Path(image)).pixels
    seen: list[Pixels] = []

    def see(frames: list[Pixels]) -> bool:
        seen.extend(frames)
        return False

    edit(image, see, name_suffix="")
    return seen[0]


def _edit_file(
    source: Path,
    change: Change,
    name_suffix: str,
    output: str | Path | None,
    size: Callable[[int, int], Size],
    *,
    edited: str,
) -> Path:
    target = source.with_stem(source.stem + name_suffix) if output is None else Path(output)
    if output is None and target.exists():
        raise ImageError(f"{target}: exists already; name the file to write with output=")
    picture = file.read(source)
    format_ = file.format_for(target, None, picture.format)
    changed = _edit_picture(picture, change, str(target), format_, size, edited=edited)
    write_or_copy(picture, source, target, changed=changed)
    return target


def _edit_bytes(image: bytes, change: Change, size: Callable[[int, int], Size], *, edited: str) -> bytes:
    picture, stream = file.read(image), BytesIO()
    changed = _edit_picture(picture, change, "the output", picture.format, size, edited=edited)
    write_or_copy(picture, image, stream, changed=changed)
    return stream.getvalue()


def _edit_picture(
    picture: file.Picture, change: Change, name: str, format_: str, size: Callable[[int, int], Size], *, edited: str
) -> bool:
    """Change a picture that will be written as ``name``, where that format can hold the result."""
    before = [frame.shape for frame in picture.frames]
    after = sizes_after(picture, size, name, format_, may_round=False)
    changed = change(picture.frames)
    if format_ == "GIF":  # pixels between others that are there and not are a little of both
        picture.frames = [all_or_nothing(frame) for frame in picture.frames]
    if after != [shape[:2] for shape in before]:
        picture.metadata = picture.metadata.resized(*after[0])
    if before[0][2] < 3 <= picture.pixels.shape[2]:
        picture.metadata = picture.metadata.recoloured()
    if changed and edited:
        picture.metadata = picture.metadata.edited_with(edited)
    return changed


def _edit_pil(image: PIL.Image.Image, change: Change) -> PIL.Image.Image:
    if image.mode in ("I", "F"):
        raise UsageError(f"a PIL image of mode {image.mode} does not say its range; convert it to I;16, L or RGB first")
    plain = image
    if image.mode == "1":
        plain = image.convert("L")
    elif image.mode not in ("L", "LA", "RGB", "RGBA") and not image.mode.startswith("I;16"):
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    made = _edit_array(np.asarray(plain), change)
    result = PIL.Image.fromarray(to_8bit(made) if made.ndim == 3 else made)  # Pillow holds no colours of 16 bits
    kept = {key: value for key, value in image.info.items() if key != "icc_profile" or _grey(result) == _grey(plain)}
    result.info = kept
    return result


def _grey(image: PIL.Image.Image) -> bool:
    return len(image.getbands()) < 3


def _edit_array(image: Pixels, change: Change) -> Pixels:
    _check(image)
    frames = [image.astype(_WORKING.get(image.dtype.name, image.dtype.newbyteorder("=")), order="C")]
    if image.ndim == 2:
        frames[0] = frames[0][:, :, None]
    change(frames)
    result = frames[0].astype(image.dtype, copy=False)
    return result[:, :, 0] if image.ndim == 2 and result.shape[2] == 1 else result


_WORKING = {"float16": np.dtype(np.float32)}  # OpenCV knows no half precision


def _check(image: Pixels) -> None:
    shape = " x ".join(map(str, image.shape))
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 2, 3, 4)) or not image.size:
        raise UsageError(f"an image array is H x W or H x W x 1, 2, 3 or 4, not {shape or 'a number'}")
    if image.dtype.name not in ("uint8", "uint16") and image.dtype.kind != "f":
        raise UsageError(f"an image array holds uint8, uint16 or floats in 0..1, not {image.dtype}")
    if image.dtype.kind == "f" and not (image.min() >= 0 and image.max() <= 1):
        raise UsageError(
            f"an image array of floats is in 0..1, this one in {image.min():.4g}..{image.max():.4g}; scale it"
        )
