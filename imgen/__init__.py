"""imgen: an image-processing toolkit for GAN applications.

Importing it loads nothing heavy; the functions below import what they need when they are called.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from imgen.runtime import Model
    from imgen_apps.face_choice import Rectangle, Which
    from imgen_apps.face_editing import FaceEditing
    from imgen_apps.inpainting import Inpainting
    from imgen_apps.masks import MaskLike
    from imgen_apps.pipeline import Image
    from imgen_apps.raindrop_removal import RaindropRemoval
    from imgen_apps.super_resolution import SuperResolution
    from imgen_apps.translation import Translation

__version__ = "0.1.0"


def load_model(source: str | Path, *, device: str = "auto", threads: int | None = None) -> "Model":
    """Open a trained model by file or name; see ``imgen.runtime.load``."""
    from imgen.runtime import load

    return load(source, device=device, threads=threads)


def inpaint(
    image: "Image",
    mask: "MaskLike",
    *,
    invert: bool = False,
    grow: int = 0,
    feather: int = 2,
    output: str | Path | None = None,
    model: str | Path | None = None,
    device: str = "auto",
) -> "Image":
    """Fill the marked part of an image: ``imgen.inpaint("photo.jpg", "mask.png")``.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array H x W or H x W x C (grey, RGB, RGBA;
            uint8, uint16, or floats in 0..1).
        mask: white = fill; of any of these kinds, or "alpha": fill what is transparent in the image.
        invert: black = fill.
        grow: make the mask wider by this many pixels.
        feather: pixels inside the mask over which the fill takes up the colours around it.
        output: of an image given by its path, the file to write instead of ``photo-inpainted.jpg``.
        model: name or file; by default the built-in one. It is opened once and kept.
        device: "auto", "cpu", "cuda", "cuda:1", "openvino" or "openvino:fp32".

    Returns:
        The same kind as ``image`` (for a path, the path of the file written); equal to it outside the mask.

    Raises:
        ImgenError: what is wrong, in one line; see ``imgen.errors``.
    """
    pipeline = _inpainting(None if model is None else str(model), device)
    return pipeline(image, mask, invert=invert, grow=grow, feather=feather, output=output)


def upscale(
    image: "Image",
    *,
    scale: float | None = None,
    target: str | None = None,
    fidelity: float = 0.0,
    output: str | Path | None = None,
    model: str | Path | None = None,
    device: str = "auto",
) -> "Image":
    """Make an image larger and sharper: ``imgen.upscale("photo.jpg", scale=2)``.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array H x W or H x W x C (grey, RGB, RGBA;
            uint8, uint16, or floats in 0..1).
        scale: output pixels per input pixel, each way, above 0, at most 16; by default 4.
        target: a size instead of a scale: "4000x" wide, "x3000" high, or "4000x3000" to fit into.
        fidelity: how the built-in models decide between inventing the detail that a photo would have (0) and keeping
            to what is in the image (1).
        output: of an image given by its path, the file to write instead of ``photo-x4.jpg``.
        model: name or file, instead of the built-in ones, which are chosen by scale. Opened once and kept.
        device: "auto", "cpu", "cuda", "cuda:1", "openvino" or "openvino:fp32".

    Returns:
        The same kind as ``image`` (for a path, the path of the file written), with its channels and depth.

    Raises:
        ImgenError: what is wrong, in one line; see ``imgen.errors``.
    """
    from imgen_apps.sizes import Enlargement
    from imgen_apps.super_resolution import enlarge

    return enlarge(image, _upscaling(model, fidelity, device), Enlargement(scale, target), output=output)


def derain(
    image: "Image",
    *,
    strength: float = 1.0,
    everywhere: bool = False,
    attention: str | Path | None = None,
    output: str | Path | None = None,
    model: str | Path | None = None,
    device: str = "auto",
) -> "Image":
    """Take raindrops off a photo: ``imgen.derain("photo.jpg", attention="drops.png")``.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array H x W or H x W x C (grey, RGB, RGBA;
            uint8, uint16, or floats in 0..1).
        strength: 0 changes nothing, 1 replaces drops in full.
        everywhere: let the network change pixels that it takes for clear, too.
        attention: a file to write where drops were found, as a grey picture: 0 where nothing has changed.
        output: of an image given by its path, the file to write instead of ``photo-derained.jpg``.
        model: name or file; by default the built-in one. It is opened once and kept.
        device: "auto", "cpu", "cuda", "cuda:1", "openvino" or "openvino:fp32".

    Returns:
        The same kind as ``image`` (for a path, the path of the file written); equal to it where no drop was found.

    Raises:
        ImgenError: what is wrong, in one line; see ``imgen.errors``.
    """
    pipeline = _raindrop_removal(None if model is None else str(model), device)
    return pipeline(image, strength=strength, everywhere=everywhere, attention=attention, output=output)


def translate(
    image: "Image",
    *,
    model: str | Path,
    strength: float = 1.0,
    size: int | None = None,
    style: int = 0,
    output: str | Path | None = None,
    device: str = "auto",
) -> "Image":
    """Translate an image into one of another kind: ``imgen.translate("photo.jpg", model="apple2orange")``.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array H x W or H x W x C (grey, RGB, RGBA;
            uint8, uint16, or floats in 0..1). For a model that takes label maps: the classes as grey values or as
            the colours of its palette.
        model: name or file. It is opened once and kept.
        strength: 0 changes nothing, 1 translates in full; between them light is mixed.
        size: long side at which the network sees larger images; by default their own.
        style: which of the results, of a model that makes several of one image.
        output: of an image given by its path, the file to write instead of ``photo-translated.jpg``.
        device: "auto", "cpu", "cuda", "cuda:1", "openvino" or "openvino:fp32".

    Returns:
        The same kind as ``image`` (for a path, the path of the file written), in colour, of the same size and depth.

    Raises:
        ImgenError: what is wrong, in one line; see ``imgen.errors``.
    """
    return _translation(str(model), device)(image, strength=strength, size=size, style=style, output=output)


def swap_face(
    image: "Image",
    source: "Image",
    *,
    face: "Which" = "largest",
    box: "Rectangle | None" = None,
    min_identity: float | None = None,
    output: str | Path | None = None,
    model: str | Path | None = None,
    device: str = "auto",
) -> "Image":
    """Give a face the identity of another: ``imgen.swap_face("photo.jpg", "other.jpg")``. Ask those it shows first.

    Args:
        image: a path, the bytes of a file, a PIL image, or an array H x W or H x W x C (grey, RGB, RGBA;
            uint8, uint16, or floats in 0..1).
        source: of any of these kinds: a picture of who it shall be.
        face: which: "largest", "all" or a number from 1, the largest, on.
        box: x, y, width and height of the face, from mid-forehead to chin, instead of looking for it.
        min_identity: refuse a result that is less like the source, as a cosine of 0..1.
        output: of an image given by its path, the file to write instead of ``photo-swapped.jpg``.
        model: name or file; by default the built-in one. It is opened once and kept.
        device: "auto", "cpu", "cuda", "cuda:1", "openvino" or "openvino:fp32".

    Returns:
        The same kind as ``image`` (for a path, the path of the file written, whose metadata say that it was edited);
        equal to it outside the face.

    Raises:
        ImgenError: what is wrong, in one line; see ``imgen.errors``.
    """
    pipeline = _face_editing(None if model is None else str(model), device)
    return pipeline.swap(image, source, face=face, box=box, min_identity=min_identity, output=output)


def edit_face(
    image: "Image",
    *,
    face: "Which" = "largest",
    box: "Rectangle | None" = None,
    min_identity: float | None = None,
    output: str | Path | None = None,
    model: str | Path | None = None,
    device: str = "auto",
    **amounts: float,
) -> "Image":
    """Change how a face looks: ``imgen.edit_face("photo.jpg", smile=1.0)``. Ask those it shows first.

    Args:
        image: as of ``swap_face``.
        face: as of ``swap_face``.
        box: the same.
        min_identity: lower the amounts until the face is as much like itself, as a cosine of 0..1.
        output: of an image given by its path, the file to write instead of ``photo-edited.jpg``.
        model: as of ``swap_face``.
        device: the same.
        amounts: of the attributes that the model knows, -2..2; 1 goes from a clear no to a clear yes.

    Returns:
        As ``swap_face``.

    Raises:
        ImgenError: what is wrong, in one line; see ``imgen.errors``.
    """
    pipeline = _face_editing(None if model is None else str(model), device)
    return pipeline.edit(image, amounts, face=face, box=box, min_identity=min_identity, output=output)


@lru_cache(4)  # there are many fidelities
def _upscaling(model: str | Path | None, fidelity: float, device: str) -> "Callable[[float], SuperResolution]":
    from imgen_apps.super_resolution import pipelines

    return pipelines(model, fidelity, device=device)


@cache
def _inpainting(model: str | None, device: str) -> "Inpainting":
    from imgen.runtime.catalogue import default_model
    from imgen_apps.inpainting import Inpainting

    return Inpainting(load_model(default_model("inpaint") if model is None else model, device=device))


@cache
def _raindrop_removal(model: str | None, device: str) -> "RaindropRemoval":
    from imgen.runtime.catalogue import default_model
    from imgen_apps.raindrop_removal import RaindropRemoval

    return RaindropRemoval(load_model(default_model("derain") if model is None else model, device=device))


@cache
def _translation(model: str, device: str) -> "Translation":
    from imgen_apps.translation import Translation

    return Translation(load_model(model, device=device))


@cache
def _face_editing(model: str | None, device: str) -> "FaceEditing":
    from imgen.runtime.catalogue import default_model
    from imgen_apps.face_choice import Detector
    from imgen_apps.face_editing import FaceEditing

    network = load_model(default_model("face") if model is None else model, device=device)
    return FaceEditing(network, detector=Detector(device=device))
