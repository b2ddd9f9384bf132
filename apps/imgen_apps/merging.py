"""Put what a network made of a crop back into the image, touching nothing but the holes."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imgen.image.tensor import to_pixels
from imgen_apps.holes import Box, Group, Mask, Plan

BLOCK = 1024  # side of what is worked on at once: a hole as large as the image needs no second image
MAX_FEATHER = 64

Patch = npt.NDArray[np.float32]  # h x w x C in 0..1


def merge(pixels: npt.NDArray[Any], mask: Mask, plan: Plan, group: Group, patch: Patch, *, feather: int) -> None:
    """Write the holes of a group; every other pixel stays as it is, to the bit.

    Args:
        pixels: H x W x C, changed in place; a channel more than ``patch`` has (alpha) is left alone.
        mask: H x W, 255 = hole.
        plan: of that mask.
        group: whose holes to write.
        patch: ``group.crop`` as the network filled it, scaled by ``group.scale``.
        feather: width in pixels, inside the hole, over which the fill takes up the brightness and
            colour of what surrounds the hole; 0 for none.
    """
    height, width = mask.shape
    for block in group.hole.blocks(BLOCK):
        holes = plan.holes(mask, group, block) > 0
        if not holes.any():
            continue
        around = block.grow(2 * feather, height, width).within(group.crop)
        fill = _cut(patch, group, around)
        if feather:
            unknown = plan.unknown(mask, group, around)
            fill = _feathered(fill, pixels[around.window][..., : fill.shape[2]], unknown, feather)
            top, left = block.top - around.top, block.left - around.left
            fill = fill[top : top + block.height, left : left + block.width]
        # Only the pixels of the hole are converted: a slim hole has few in a large block.
        values = to_pixels(fill[holes].T[None, :, :, None], pixels.dtype)[:, 0]
        pixels[block.window][..., : fill.shape[2]][holes] = values


def _cut(patch: Patch, group: Group, box: Box) -> Patch:
    """The part of the patch that lies on ``box``, at the resolution of the image."""
    crop = group.crop
    if patch.shape[:2] == (crop.height, crop.width):
        top, left = box.top - crop.top, box.left - crop.left
        return patch[top : top + box.height, left : left + box.width]
    # Pixel x of the box has its middle at (x + box.left - crop.left + 1/2) * scale of the patch.
    x, y = patch.shape[1] / crop.width, patch.shape[0] / crop.height
    across = (box.left - crop.left + 0.5) * x - 0.5
    down = (box.top - crop.top + 0.5) * y - 0.5
    enlarged = cv2.warpAffine(
        patch,
        np.array([[x, 0, across], [0, y, down]]),
        (box.width, box.height),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return enlarged.reshape(box.height, box.width, patch.shape[2]).astype(np.float32, copy=False)


def _feathered(fill: Patch, pixels: npt.NDArray[Any], unknown: Mask, feather: int) -> Patch:
    """The fill with the step at its edge taken out: in full there, no more ``feather`` pixels inside.

    The step is the difference of two local means, of the known pixels and of the fill, so the texture of
    the fill stays, and of what the hole is to hide nothing shines through.
    """
    full = np.float32(np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1)
    inside = (unknown > 0).astype(np.float32)[..., None]
    outside = pixels.astype(np.float32) / full
    step = _mean(outside, 1 - inside, feather) - _mean(fill, inside, feather)
    depth = cv2.distanceTransform(unknown, cv2.DIST_L2, 5)[..., None]
    weight = np.clip(1 - depth / (feather + 1), 0, 1)
    return np.asarray(fill + step * weight, np.float32)


def _mean(values: Patch, weights: Patch, feather: int) -> Patch:
    """The local mean of the values that have weight 1; of no meaning where there is none near."""
    total = cv2.GaussianBlur(values * weights, (0, 0), feather / 2).reshape(values.shape)
    count = cv2.GaussianBlur(weights, (0, 0), feather / 2).reshape(weights.shape)
    return np.asarray(total / np.maximum(count, 1e-6), np.float32)
