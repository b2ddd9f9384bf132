"""What a translating network is shown: a photo, or a label map as one plane for each class.

Either is given in parts of its full size or reduced as a whole, so that nothing of a large one need be whole in memory.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgen.data.label_maps import Numbers, boundaries, one_hot
from imgen.image.tensor import Size, to_nchw
from imgen.runtime.model import Array
from imgen_apps.pipeline import Pixels
from imgen_apps.resampling import resampled
from imgen_apps.rows import Rows
from imgen_apps.transparency import planes

_SLAB_ROWS = 64  # that are made at once


class View(ABC):
    """An image as a network takes it.

    Attributes:
        size: height and width.
    """

    size: Size

    @abstractmethod
    def part(self, rows: slice, columns: slice) -> Array:
        """A part of it, 1 x C x h x w in 0..1."""

    @abstractmethod
    def reduced(self, size: Size) -> "View":
        """The same at a smaller size."""

    def whole(self) -> Array:
        """All of it at once."""
        return self.part(slice(None), slice(None))

    def rows(self) -> Rows:
        """All of it from the top, a little at a time."""
        height, width = self.size

        def bands() -> Iterator[Array]:
            for top in range(0, height, _SLAB_ROWS):
                yield self.part(slice(top, top + _SLAB_ROWS), slice(None))

        return Rows(bands(), (1, self.part(slice(1), slice(1)).shape[1], height, width))


class Photo(View):
    """Colours, H x W x 1 or 3, of any depth; grey is repeated."""

    def __init__(self, colours: Pixels) -> None:
        self._colours = colours
        self.size = colours.shape[:2]

    def part(self, rows: slice, columns: slice) -> Array:
        """N is 1, C is 3."""
        part = to_nchw(self._colours[rows, columns])
        return part if part.shape[1] == 3 else part.repeat(3, 1)

    def reduced(self, size: Size) -> "Photo":
        """With a cubic kernel that does not alias."""
        small = resampled(planes(self._colours), size).read(0, size[0])
        return Photo(small[0].clip(0, 1).transpose(1, 2, 0))


class Styles(NamedTuple):
    """Features that a network takes after the classes: for each thing in a label map one of several choices."""

    choices: list[Array]  # for each class number x features, the commonest first
    number: int  # of the result: 0 takes the commonest for all things, the others draw

    def features(self, labels: Numbers, things: NDArray[np.integer]) -> Array:
        """The features of every pixel, features x h x w: drawn by the number of the result and that of the thing."""
        kinds, of = np.unique(things.astype(np.int64) * len(self.choices) + labels, return_inverse=True)
        chosen = np.stack([self._chosen(*divmod(int(kind), len(self.choices))) for kind in kinds])
        return chosen[of.ravel()].T.reshape(-1, *labels.shape)

    def _chosen(self, thing: int, label: int) -> Array:
        choices, draw = self.choices[label], np.random.default_rng((self.number, thing, label))
        return choices[draw.integers(len(choices)) if self.number else 0]


class Scene(View):
    """A label map, one plane for each class; then, where the network takes them, boundaries, and features of a style.

    Args:
        labels: the class of every pixel, H x W.
        classes: how many there are.
        things: the number of the thing at every pixel, H x W, where the network is told where things end.
        styles: where the network takes features.
    """

    def __init__(
        self, labels: Numbers, classes: int, things: NDArray[np.integer] | None = None, styles: Styles | None = None
    ) -> None:
        self._labels, self._classes, self._things, self._styles = labels, classes, things, styles
        self._edges = None if things is None else boundaries(things)
        self.size = labels.shape

    def part(self, rows: slice, columns: slice) -> Array:
        """N is 1, C is the number of classes, one more for boundaries, and that of the features."""
        labels = self._labels[rows, columns]
        found = [one_hot(labels, self._classes)]
        if self._edges is not None:
            found.append(self._edges[None, rows, columns])
        if self._styles is not None:
            things = labels if self._things is None else self._things[rows, columns]
            found.append(self._styles.features(labels, things))
        return np.concatenate(found)[None]

    def reduced(self, size: Size) -> "Scene":
        """Every pixel is one of the original."""
        taken = [((np.arange(new) + 0.5) * (old / new)).astype(int) for old, new in zip(self.size, size, strict=True)]
        where = np.ix_(*taken)
        things = None if self._things is None else self._things[where]
        return Scene(self._labels[where], self._classes, things, self._styles)
