"""What of a network is written as a graph: what is traced, with which inputs, and where it is compared.

Three forms:

* *core* of a network from images to images: float32 NCHW in 0..1, sizes divisible by the network's
  multiple; what imgen's own pipelines run, around which they do cropping, colour depth and compositing.
* *embed* of the same: uint8 NHWC in and out at any size, with padding, scaling to 0..1, compositing and
  rounding inside; for programs that have nothing but an ONNX runtime.
* *core* of a generator: ``code``, float32 N x Z, and with classes ``label``, int64 N, to images,
  float32 N x C x H x W in 0..1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.engines.engine import to_unit
from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_apps import attention

GRAPHS = ("core", "embed")

Size = tuple[int, ...]
"""Batch, and where they are free, height and width."""

# Sizes to compare at, in multiples: odd ones, flat ones, none of them traced.
_SIZES = ((1, 5, 3), (3, 3, 7), (1, 9, 2), (2, 13, 11))

_STEP = 5  # pixels to take for a multiple of 1, at which the sizes above would be nothing but border


@dataclass(frozen=True)
class Form:
    """One way to write a network."""

    module: nn.Module  # takes the tensors that ``inputs`` makes and gives one, or a tuple of several
    inputs: Callable[..., tuple[Tensor, ...]]  # of a size
    free: Sequence[dict[int, Any]]  # for each input, its free axes
    traced: Size
    compared: Sequence[Size]
    tolerance: float  # of the largest difference from torch


def form_of(network: Network, spec: Spec, graph: str) -> Form:
    """The form that ``spec.task`` and ``graph`` ask for.

    Raises:
        UsageError: an unknown graph, or a task that has none, or none that is embed.
    """
    if graph not in GRAPHS:
        raise UsageError(f"graph must be one of {', '.join(GRAPHS)}, got {graph!r}")
    if spec.task == "classify":
        raise UsageError(
            f"{spec.name!r} is a classifier, for imgen evaluate --features; only what makes images is exported"
        )
    if spec.task == "generate":
        if graph == "embed":
            raise UsageError(f"the embed graph is for images to images, {spec.name!r} generates them; take core")
        return _generate(network, spec)
    return _core(network, spec) if graph == "core" else _embed(network, spec)


class Generate(nn.Module):
    """A generator whose images are in 0..1, whatever the range it was trained in."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        """Code, N x Z, and label, N, where the network has classes, to N x C x H x W, or vectors, N x D."""
        return to_unit(self.network(code) if label is None else self.network(code, label), self.network)


class EmbedImage(nn.Module):
    """A network from images to images as uint8, N x H x W x 3 to N x scale*H x scale*W x 3."""

    def __init__(self, network: Network, multiple: int, scale: int) -> None:
        super().__init__()
        self.network, self.multiple, self.scale = network, multiple, scale

    def forward(self, image: Tensor) -> Tensor:
        """Any height and width."""
        height, width = image.shape[1], image.shape[2]
        values = image.permute(0, 3, 1, 2).float() / 255
        if self.multiple > 1:
            values = F.pad(values, (0, -width % self.multiple, 0, -height % self.multiple), "replicate")
        made = self.network(values)[:, :, : height * self.scale, : width * self.scale]
        return _levels(made)


class EmbedInpainting(nn.Module):
    """An inpainting network from uint8 to uint8: image N x H x W x 3 and mask N x H x W, above 127 = fill."""

    def __init__(self, network: Network, multiple: int) -> None:
        super().__init__()
        self.network, self.multiple = network, multiple

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Filled image, N x H x W x 3; outside the mask the bytes are those of the input."""
        height, width = image.shape[1], image.shape[2]
        extra = (0, -width % self.multiple, 0, -height % self.multiple)
        hole = (mask > 127).unsqueeze(1)
        values = F.pad(image.permute(0, 3, 1, 2).float() / 255, extra, "replicate")
        holes = F.pad(hole.float(), extra, "replicate")  # a hole at the edge goes on: it is not known beyond
        filled = self.network(values, holes)[:, :, :height, :width]
        return torch.where(hole.permute(0, 2, 3, 1), _levels(filled), image)


class EmbedRaindropRemoval(nn.Module):
    """A network that removes raindrops from uint8 to uint8, as ``imgen derain`` runs it at the size of the image."""

    def __init__(self, network: Network, multiple: int) -> None:
        super().__init__()
        self.network, self.multiple = network, multiple

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The same without drops, and N x H x W where they were; where that is 0 the bytes are those of the input."""
        height, width = image.shape[1], image.shape[2]
        values = image.permute(0, 3, 1, 2).float() / 255
        extra = (0, -width % self.multiple, 0, -height % self.multiple)
        made, seen = (x[:, :, :height, :width] for x in self.network(F.pad(values, extra, "replicate")))
        found = attention.certain(F.max_pool2d(seen, 2 * attention.SPREAD + 1, 1, attention.SPREAD))
        changed = values + attention.blend(found) * (made - values)
        return _levels(changed), (found[:, 0] * 255).ceil().to(torch.uint8)


def _levels(values: Tensor) -> Tensor:
    """N x 3 x H x W in about 0..1 to uint8, N x H x W x 3."""
    return (values.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


def _generate(network: Network, spec: Spec) -> Form:
    def inputs(batch: int) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(batch)
        code = torch.randn(batch, spec.code, generator=generator)
        return (code, torch.arange(batch) % spec.classes) if spec.classes else (code,)

    free = [{0: _free("batch", 65536)} for _ in spec.inputs]
    return Form(Generate(network), inputs, free, (2,), ((1,), (3,), (8,), (17,)), 1e-4)


def _core(network: Network, spec: Spec) -> Form:
    multiple = spec.multiple

    def inputs(batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        image, mask = _picture(batch, height, width)
        return (image,) if spec.inputs == ("image",) else (image, mask)

    batch, rows, columns = _free("batch", 64), _free("rows"), _free("columns")
    free = [{0: batch, 2: multiple * rows, 3: multiple * columns} for _ in spec.inputs]
    step = _STEP if multiple == 1 else multiple
    sizes = [(count, high * step, wide * step) for count, high, wide in _SIZES]
    return Form(network, inputs, free, (2, 8 * step, 6 * step), sizes, 1e-4)


def _embed(network: Network, spec: Spec) -> Form:
    multiple, masked = spec.multiple, len(spec.inputs) == 2
    module: nn.Module = EmbedImage(network, multiple, spec.scale)
    if spec.task == "derain":
        module = EmbedRaindropRemoval(network, multiple)
    elif masked:
        module = EmbedInpainting(network, multiple)

    def inputs(batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        image, mask = _picture(batch, height, width)
        pixels = (image * 255).byte().permute(0, 2, 3, 1).contiguous()
        return (pixels, (mask[:, 0] * 255).byte()) if masked else (pixels,)

    axes = dict(enumerate((_free("batch", 64), _free("rows"), _free("columns"))))
    # It takes any size: off the grid by some pixels.
    sizes = [(count, max(1, high * multiple - 3), wide * multiple + 5) for count, high, wide in _SIZES]
    free = [axes for _ in spec.inputs]
    return Form(module, inputs, free, (2, 8 * multiple, 6 * multiple), sizes, 1.0)


def _free(name: str, largest: int = 16384) -> Any:
    return torch.export.Dim(name, min=1, max=largest)


def _picture(batch: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Smooth colours, and a hole that also touches an edge."""
    generator = torch.Generator().manual_seed(height * 7919 + width)
    coarse = torch.rand(batch, 3, 4, 4, generator=generator)
    image = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)
    mask = torch.zeros(batch, 1, height, width)
    mask[..., height // 4 : height // 2 + 1, : width // 2 + 1] = 1
    return image, mask
