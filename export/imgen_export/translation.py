"""What is traced of a translating network: what it takes, and all of its pipeline at the size of the image."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.data.label_maps import Palette
from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.spec import Spec
from imgen_apps.translation import least_side, palette_of
from imgen_export.form import Form, core_sizes, embed_sizes, free_axis, levels, picture


def core(network: Network, spec: Spec) -> Form:
    """What ``imgen translate`` runs: a photo or a label map as planes, and where dropout stays on its noise."""
    multiple, batch, rows, columns = spec.multiple, free_axis("batch", 64), free_axis("rows"), free_axis("columns")
    palette = palette_of(spec)
    strides = [int(spec.noise["stride"]) if name == "noise" else 1 for name in spec.inputs]

    def inputs(batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        shown = _scene(spec, batch, height, width) if palette else picture(batch, height, width)[0]
        if not spec.noise:
            return (shown,)
        kept, stride = 1 - spec.noise["dropout"], strides[1]
        generator = torch.Generator().manual_seed(height * 7919 + width)
        noise = torch.rand(batch, int(spec.noise["channels"]), height // stride, width // stride, generator=generator)
        return shown, (noise < kept).float() / kept

    free = [{0: batch, 2: multiple // stride * rows, 3: multiple // stride * columns} for stride in strides]
    return Form(network, spec.inputs, inputs, free, *core_sizes(multiple), 1e-4)


def embed(network: Network, spec: Spec) -> Form:
    """All of the pipeline on what fits into memory, from uint8 to uint8.

    Raises:
        UsageError: the network takes noise.
    """
    if spec.noise:
        raise UsageError(f"{spec.name!r} takes noise, for which the embed graph has no place; take core")
    axes = dict(enumerate((free_axis("batch", 64), free_axis("rows"), free_axis("columns"))))
    sizes, palette = embed_sizes(spec.multiple), palette_of(spec)
    if palette is None:

        def pixels(batch: int, height: int, width: int) -> tuple[Tensor]:
            return ((picture(batch, height, width)[0] * 255).byte().permute(0, 2, 3, 1).contiguous(),)

        return Form(EmbedTranslation(network, spec), spec.inputs, pixels, [axes], *sizes, 1.0)

    classes = len(palette)
    names, free = (("labels", "style"), [axes, {0: axes[0]}]) if spec.styles else (("labels",), [axes])

    def maps(batch: int, height: int, width: int) -> tuple[Tensor, ...]:
        least = min(map(len, spec.styles), default=1)
        style = torch.arange(batch * classes).reshape(batch, classes) % least
        return (_labels(classes, batch, height, width).byte(), style)[: len(names)]

    return Form(EmbedScene(network, spec), names, maps, free, *sizes, 1.0)


class EmbedTranslation(nn.Module):
    """A translating network from uint8 to uint8, as ``imgen translate`` runs it on what fits into memory."""

    def __init__(self, network: Network, spec: Spec) -> None:
        super().__init__()
        self.network, self.multiple, self.least = network, spec.multiple, least_side(spec)

    def forward(self, image: Tensor) -> Tensor:
        """N x H x W x 3 to the same."""
        return levels(self.translate(image.permute(0, 3, 1, 2).float() / 255))

    def translate(self, values: Tensor) -> Tensor:
        """N x C x H x W, as the network takes it but for the size, to N x 3 x H x W."""
        height, width = values.shape[2:]
        padded = _mirrored(_mirrored(values, 2, self.multiple, self.least), 3, self.multiple, self.least)
        made: Tensor = self.network(padded)[:, :, :height, :width]
        return made


class EmbedScene(EmbedTranslation):
    """The same for label maps: the number of each pixel's class, and where there are styles that of each class's."""

    def __init__(self, network: Network, spec: Spec) -> None:
        super().__init__(network, spec)
        self.boundaries = spec.boundaries
        self.classes = len(Palette.of(spec.palette))
        most = max((len(each) for each in spec.styles), default=0)
        # Where a class has fewer styles than others, its commonest stands for those that are missing.
        table = [[*each, *[each[0]] * (most - len(each))] for each in spec.styles]
        self.table: Tensor | None
        self.register_buffer("table", torch.tensor(table) if table else None, persistent=False)

    def forward(self, labels: Tensor, style: Tensor | None = None) -> Tensor:
        """Labels, uint8 N x H x W, and style, int64 N x classes, to N x H x W x 3."""
        planes = [_one_hot(labels.long(), self.classes)]
        if self.boundaries:
            planes.append(_boundaries(labels.int()))
        if self.table is not None and style is not None:
            chosen = torch.stack([self.table[label][style[:, label]] for label in range(self.classes)], 2)
            flat = planes[0].flatten(2)
            planes.append((chosen @ flat).unflatten(2, labels.shape[1:]))
        return levels(self.translate(torch.cat(planes, 1)))


def _mirrored(values: Tensor, axis: int, multiple: int, least: int) -> Tensor:
    """Mirrored at one of its ends until a side divides by a multiple and is as long as it has to be."""
    length = values.shape[axis]
    # Not by way of -(-length // multiple): ONNX divides towards 0.
    wanted = torch.sym_max(least, (length + multiple - 1) // multiple * multiple)
    # Sizes in arithmetic on tensors have to be tensors: the exporter knows no others.
    count, index = torch.ones_like(torch.arange(length)).sum(), torch.arange(wanted)
    index = index.remainder(2 * count)
    return values.index_select(axis, torch.where(index < count, index, 2 * count - 1 - index))


def _one_hot(labels: Tensor, classes: int) -> Tensor:
    """N x H x W to N x classes x H x W."""
    return (labels[:, None] == torch.arange(classes)[:, None, None]).float()


def _boundaries(labels: Tensor) -> Tensor:
    """As ``imgen.data.label_maps.boundaries``: N x H x W to N x 1 x H x W."""
    down, right = labels[:, 1:] != labels[:, :-1], labels[:, :, 1:] != labels[:, :, :-1]
    sides = [(down, (0, 0, 0, 1)), (down, (0, 0, 1, 0)), (right, (0, 1)), (right, (1, 0))]
    return torch.stack([F.pad(side.float(), amount) for side, amount in sides]).amax(0)[:, None]


def _labels(classes: int, batch: int, height: int, width: int) -> Tensor:
    """Random rectangles, N x H x W."""
    generator = torch.Generator().manual_seed(height * 7919 + width)
    coarse = torch.randint(classes, (batch, 1, 4, 4), generator=generator).float()
    return F.interpolate(coarse, (height, width))[:, 0].long()


def _scene(spec: Spec, batch: int, height: int, width: int) -> Tensor:
    """Such a label map as a network takes it, with random boundaries and features: N x C x H x W."""
    classes, features = len(Palette.of(spec.palette)), len(spec.styles[0][0]) if spec.styles else 0
    generator = torch.Generator().manual_seed(height * 7919 + width)
    others = torch.rand(batch, spec.boundaries + features, height, width, generator=generator)
    return torch.cat([_one_hot(_labels(classes, batch, height, width), classes), others], 1)
