"""How different two images look: distances between the features of a trained network.

Reference: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric", arXiv:1801.03924, eq. 1. Two networks stand in for the paper's, whose weights no package
index carries, so the figures compare methods with one another and not with published tables:

* ``LPIPS[HED VGG-16]``: see ``imgen.networks.lpips``;
* ``LPIPS-like[EfficientNet-Lite0]``: equal weights for all channels.

The built-in network for inpainting was trained against both, so neither is a neutral judge of it: PSNR and one's
own eyes are.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.lpips import LPIPS

_BATCH = 6  # images at a time: bounds the memory that full-resolution features take


class Distance:
    """Of 8-bit images."""

    def __init__(self, network: LPIPS) -> None:
        self.network = network

    @torch.inference_mode()
    def __call__(self, images: Sequence[NDArray[np.uint8]], reference: NDArray[np.uint8]) -> list[float]:
        """The distance of each image to the reference, 0 for equal ones; all are H x W x 3 RGB of one size."""
        target = _tensor([reference])
        parts = [_tensor(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
        return [float(value) for part in parts for value in self.network(part, target)]


def vgg_distance() -> Distance:
    """``LPIPS[HED VGG-16]``."""
    return Distance(LPIPS.pretrained())


def efficientnet_distance() -> Distance:
    """``LPIPS-like[EfficientNet-Lite0]``."""
    return Distance(LPIPS(EfficientNetLite0.pretrained(), [torch.ones(1)] * 4))


def _tensor(images: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
