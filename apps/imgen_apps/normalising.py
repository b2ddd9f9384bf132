"""The statistics of images that are too large to be looked at whole.

A network with instance normalisation sees of the whole image means and variances only, one set for every layer; with
those given, tiles fit together. They are measured on windows that cover the image: as many windows as fit into memory,
taken evenly from all over it, go through the network as one batch with one set of statistics, so that each layer is
measured on what the layers before it make of such statistics. What several such groups say is pooled.

To take statistics measured before and to measure anew with them, over and over, does not do: until the first layers
have settled the last ones are thrown about, and they do not come to rest.
"""

from dataclasses import replace

import numpy as np

from imgen.image.tensor import Size, pad_to_multiple
from imgen.runtime import Model
from imgen.runtime.model import Array, Statistics
from imgen_apps.views import View

_TOGETHER = 64  # windows: with fewer a group is not like the whole image; more are smaller, and see more of borders
_PLASTIC = 1.32471795724474602596  # p**3 = p + 1: row / p + column / p**2, modulo 1, is alike for places far apart only


class Given(Model):
    """A network that normalises by statistics of an image, of which it is shown parts: its reach is finite."""

    def __init__(self, model: Model, statistics: Statistics) -> None:
        super().__init__(replace(model.spec, receptive_field="finite"), model.device, model.provider)
        self._model, self._statistics = model, statistics

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        return self._model.normalised(inputs[0], self._statistics)


def statistics_of(model: Model, view: View, most: int) -> Statistics:
    """The statistics of an image, about those that the network would have of it whole.

    Args:
        model: whose ``spec.receptive_field`` is "normalised".
        view: the image, larger than ``most``.
        most: pixels that the network may look at at once.
    """
    multiple = model.spec.multiple
    side = max(2 * multiple, int((most / _TOGETHER) ** 0.5) // multiple * multiple)
    groups = _groups(view.size, side, max(1, most // side**2))
    found = []
    for group in groups:
        windows = [view.part(slice(top, top + side), slice(left, left + side)) for top, left in group]
        found.append(model.statistics(pad_to_multiple(np.concatenate(windows), multiple)[0]))
    return [_pooled(np.stack(each)) for each in zip(*found, strict=True)]


def _groups(size: Size, side: int, together: int) -> list[list[tuple[int, int]]]:
    """The corners of windows that cover an image, in groups that each have windows from all over it."""
    corners = [np.linspace(0, max(0, length - side), -(-length // side)).astype(int).tolist() for length in size]
    windows = [
        ((row / _PLASTIC + column / _PLASTIC**2) % 1, (top, left))
        for row, top in enumerate(corners[0])
        for column, left in enumerate(corners[1])
    ]
    ordered = [corner for _, corner in sorted(windows)]
    count = -(-len(ordered) // together)
    return [ordered[len(ordered) * i // count : len(ordered) * (i + 1) // count] for i in range(count)]


def _pooled(found: Array) -> Array:
    """The means and variances of all groups together, 2 x C, of those of each, G x 2 x C."""
    mean, variance = found.astype(np.float64).swapaxes(0, 1)
    middle = mean.mean(0)
    return np.stack([middle, (variance + (mean - middle) ** 2).mean(0)]).astype(np.float32)
