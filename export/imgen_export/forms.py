"""What of a network is written as a graph: what is traced, with which inputs, and where it is compared.

Three forms:

* *core* of a network from images to images: float32 NCHW in 0..1, sizes divisible by the network's
  multiple; what imgen's own pipelines run, around which they do cropping, colour depth and compositing.
* *embed* of the same: uint8 NHWC in and out at any size, with padding, scaling to 0..1, compositing and
  rounding inside; for programs that have nothing but an ONNX runtime.
* *core* of a generator: ``code``, float32 N x Z, and with classes ``label``, int64 N, to images,
  float32 N x C x H x W in 0..1.
* *core* of an auto-encoder with classes: ``image``, float32 N x 3 x S x S in 0..1, and ``label``, float32 N x K, the
  weight of each class (1 of what it is, 0 of all others), to images like the first.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.engines.engine import to_unit
from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_apps import attention
from imgen_export import detection, face, translation
from imgen_export.form import Form, core_sizes, embed_sizes, free_axis, levels, picture
from imgen_export.variant import check_graph


def form_of(network: Network, spec: Spec, graph: str) -> Form:
    """The form that ``spec.task`` and ``graph`` ask for.

    Raises:
        UsageError: an unknown graph, or a task that has none, or none that is embed.
    """
    check_graph(graph, spec)
    if spec.task == "classify":
        raise UsageError(
            f"{spec.name!r} is a classifier, for imgen evaluate --features; only what makes images is exported"
        )
    if spec.task == "generate":
        return _generate(network, spec)
    if spec.task == "reconstruct":
        return _reconstruct(network, spec, graph)
    if spec.task == "translate":
        return translation.core(network, spec) if graph == "core" else translation.embed(network, spec)
    if spec.task == "face":
        return face.core(network, spec) if graph == "core" else face.embed(network, spec)
    if spec.task == "detect-face" and graph == "embed":
        return detection.embed(network, spec)
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
        return levels(made)


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
        return torch.where(hole.permute(0, 2, 3, 1), levels(filled), image)


class EmbedReconstruction(nn.Module):
    """A network that takes images through a code and back, from uint8 to uint8, N x S x S x 3."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Label: the number of the class, N."""
        return levels(self.network(image.permute(0, 3, 1, 2).float() / 255, label))


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
        return levels(changed), (found[:, 0] * 255).ceil().to(torch.uint8)


def _generate(network: Network, spec: Spec) -> Form:
    def inputs(batch: int) -> tuple[Tensor, ...]:
        generator = torch.Generator().manual_seed(batch)
        code = torch.randn(batch, spec.code, generator=generator)
        return (code, torch.arange(batch) % spec.classes) if spec.classes else (code,)

    free = [{0: free_axis("batch", 65536)} for _ in spec.inputs]
    return Form(Generate(network), spec.inputs, inputs, free, (2,), ((1,), (3,), (8,), (17,)), 1e-4)


def _reconstruct(network: Network, spec: Spec, graph: str) -> Form:
    def inputs(batch: int) -> tuple[Tensor, ...]:
        image, _ = picture(batch, spec.size, spec.size)
        label = torch.arange(batch) % spec.classes
        if graph == "embed":
            return (image * 255).byte().permute(0, 2, 3, 1).contiguous(), label
        return image, torch.eye(spec.classes)[label]

    free = [{0: free_axis("batch", 64)} for _ in spec.inputs]
    module, tolerance = (EmbedReconstruction(network), 1.0) if graph == "embed" else (network, 1e-4)
    return Form(module, spec.inputs, inputs, free, (2,), ((1,), (3,), (8,), (17,)), tolerance)


def _core(network: Network, spec: Spec) -> Form:
    def inputs(batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        image, mask = picture(batch, height, width)
        return (image,) if spec.inputs == ("image",) else (image, mask)

    multiple, batch, rows, columns = spec.multiple, free_axis("batch", 64), free_axis("rows"), free_axis("columns")
    free = [{0: batch, 2: multiple * rows, 3: multiple * columns} for _ in spec.inputs]
    return Form(network, spec.inputs, inputs, free, *core_sizes(multiple), 1e-4)


def _embed(network: Network, spec: Spec) -> Form:
    multiple, masked = spec.multiple, len(spec.inputs) == 2
    module: nn.Module = EmbedImage(network, multiple, spec.scale)
    if spec.task == "derain":
        module = EmbedRaindropRemoval(network, multiple)
    elif masked:
        module = EmbedInpainting(network, multiple)

    def inputs(batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        image, mask = picture(batch, height, width)
        pixels = (image * 255).byte().permute(0, 2, 3, 1).contiguous()
        return (pixels, (mask[:, 0] * 255).byte()) if masked else (pixels,)

    axes = dict(enumerate((free_axis("batch", 64), free_axis("rows"), free_axis("columns"))))
    return Form(module, spec.inputs, inputs, [axes for _ in spec.inputs], *embed_sizes(multiple), 1.0)
