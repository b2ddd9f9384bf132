"""Fill the marked part of a photo, of any size, and leave every other pixel as it is."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imgen.errors import ModelError, UsageError
from imgen.image.tensor import crop, pad_to_multiple, to_nchw
from imgen.runtime import Model
from imgen_apps.holes import SMALLEST, Group, Mask, Plan, plan
from imgen_apps.masks import MaskLike, masks_for
from imgen_apps.merging import MAX_FEATHER, Patch, merge
from imgen_apps.pipeline import GREY, Image, Pipeline, Pixels, edit

FEATHER = 2  # on Kodak24, 4 is no better and 8 is worse


class Inpainting(Pipeline):
    """Fill holes with what could be there.

    >>> fill = Inpainting(imgen.load_model("inpaint-base"))  # doctest: +SKIP
    >>> fill("photo.jpg", "mask.png")  # doctest: +SKIP
    'photo-inpainted.jpg'

    Args:
        model: of task "inpaint".
        tile: longest side, in pixels, of what the network sees at once: a hole that is larger with its
            context is filled at a lower resolution. By default one and a half times what it was made for.

    Raises:
        ModelError: the model was made for another task.
        UsageError: a tile too small to see anything.
    """

    task = "inpaint"

    def __init__(self, model: Model, *, tile: int | None = None):
        super().__init__(model)
        self.tile = max(model.spec.size * 3 // 2, SMALLEST) if tile is None else tile
        if self.tile < SMALLEST:
            raise UsageError(f"tile is {tile}, but the network has to see at least {SMALLEST} pixels; give more")

    def __call__(
        self,
        image: Image,
        mask: MaskLike,
        *,
        invert: bool = False,
        grow: int = 0,
        feather: int = FEATHER,
        output: str | Path | None = None,
    ) -> Image:
        """Fill the marked part of an image.

        Args:
            image: a path, the bytes of a file, a PIL image or an array; see ``imgen_apps.pipeline.edit``.
            mask: white = fill; a path, bytes, a PIL image, an array, or "alpha" for what is transparent in the
                image; see ``imgen_apps.masks.masks_for``.
            invert: fill what is not marked instead.
            grow: make the mask wider by this many pixels, for one that is drawn too tight.
            feather: width in pixels, inside the mask, over which the fill takes up the colours around it.
            output: of an image given by its path, the file to write instead of ``<name>-inpainted``.

        Returns:
            The same kind as ``image``; equal to it, to the bit, outside the mask.

        Raises:
            ImageError: the image or the mask cannot be read, the result cannot be written.
            UsageError: arguments of the wrong kind or outside their range.
        """

        def change(frames: list[Pixels]) -> bool:
            masks = masks_for(frames, mask, invert=invert, grow=grow)
            filled = [self.fill(frame, marked, feather=feather) for frame, marked in zip(frames, masks, strict=True)]
            return any(filled)

        return edit(image, change, name_suffix="-inpainted", output=output)

    def fill(self, pixels: npt.NDArray[Any], mask: Mask, *, feather: int = FEATHER) -> bool:
        """Fill the holes of an image in place; memory is used for the crops, not for the image.

        Args:
            pixels: H x W x C, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; uint8, uint16 or floats in 0..1. Alpha
                stays as it is; what lies under full transparency is taken for unknown.
            mask: H x W, 255 = fill, 0 = keep.
            feather: as in a call.

        Returns:
            Whether there was anything to fill.

        Raises:
            UsageError: ``feather`` is out of its range.
            ModelError: the network gave no numbers.
        """
        if not 0 <= feather <= MAX_FEATHER:
            raise UsageError(f"feather is {feather}, but it must be in 0..{MAX_FEATHER} pixels")
        work = self._plan(mask)
        for group in work.groups:
            merge(pixels, mask, work, group, self._filled(pixels, mask, work, group), feather=feather)
        return bool(work.groups)

    def settings(self) -> dict[str, object]:
        """What decides a result, beside the model and the arguments of a call."""
        return {"tile": self.tile}

    def _plan(self, mask: Mask) -> Plan:
        return plan(mask, self.tile)

    def _size(self, group: Group) -> tuple[int, int]:
        """Width and height at which the network sees the crop of a group."""
        return max(1, round(group.crop.width * group.scale)), max(1, round(group.crop.height * group.scale))

    def _filled(self, pixels: npt.NDArray[Any], mask: Mask, work: Plan, group: Group) -> Patch:
        """The crop of a group as the network fills it: h x w x C in 0..1 without alpha, scaled by ``group.scale``."""
        view = pixels[group.crop.window]
        unknown = work.unknown(mask, group, group.crop)
        if view.shape[2] in (2, 4):
            unknown[view[..., -1] == 0] = 255
        size = self._size(group)
        if size != view.shape[1::-1]:
            view = cv2.resize(view, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
            unknown = cv2.resize(unknown, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        grey = view.shape[2] < 3
        image = to_nchw(view[..., :1].repeat(3, 2) if grey else view[..., :3])
        hole = to_nchw(np.where(unknown > 0, np.float32(1), np.float32(0)))
        filled = self._run(image * (1 - hole), hole)[0].transpose(1, 2, 0)
        return filled @ GREY[:, None] if grey else filled

    def _run(self, image: npt.NDArray[np.float32], hole: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The network, on sizes it does not take too."""
        padded, size = pad_to_multiple(image, self.model.spec.multiple)
        return self._checked(crop(self.model(padded, pad_to_multiple(hole, self.model.spec.multiple)[0]), size))

    def _checked(self, result: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if not np.isfinite(result).all():
            raise ModelError(
                f"{self.model.spec.name} gave values that are no numbers; try --device cpu or another model"
            )
        return np.ascontiguousarray(result)
