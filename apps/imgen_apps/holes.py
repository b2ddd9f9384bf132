"""Where to look when filling a mask: holes grouped by proximity, each group with a crop of context.

Everything is decided on cells of 8 x 8 pixels, so a mask of 100 megapixels is planned on an array
of 1.6 million cells. A crop is as small as its holes allow: what the network never sees costs
neither time nor memory, and a crop that fits the network is never scaled down.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

CELL = 8
MARGIN = 64  # pixels of context on each side of a hole, at least
SMALLEST = 256  # side of a crop, where the image is that large

Mask = npt.NDArray[np.uint8]  # H x W, 255 = fill, 0 = keep
Cells = npt.NDArray[np.int32]  # of the whole image, one value per 8 x 8 pixels


class Box(NamedTuple):
    """A rectangle of pixels, half open: rows top..bottom-1, columns left..right-1."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def window(self) -> tuple[slice, slice]:
        """As an index: ``pixels[box.window]`` is a view."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grow(self, margin: int, height: int, width: int) -> "Box":
        """Wider by ``margin`` on each side, inside an image of ``height`` x ``width``."""
        wider = Box(self.top - margin, self.left - margin, self.bottom + margin, self.right + margin)
        return wider.within(Box(0, 0, height, width))

    def within(self, other: "Box") -> "Box":
        """What both have in common."""
        return Box(*np.maximum(self[:2], other[:2]).tolist(), *np.minimum(self[2:], other[2:]).tolist())

    def blocks(self, side: int) -> Iterator["Box"]:
        """The box cut into pieces of at most ``side`` x ``side``."""
        for top in range(self.top, self.bottom, side):
            for left in range(self.left, self.right, side):
                yield Box(top, left, min(top + side, self.bottom), min(left + side, self.right))


class Group(NamedTuple):
    """Holes that are filled together."""

    number: int  # in ``Plan.owner``; groups are filled in this order
    hole: Box  # around its holes
    crop: Box  # around its holes and their context: what the network sees
    scale: float  # of the crop on its way to the network, at most 1


class Plan(NamedTuple):
    """All groups of a mask, and which cell belongs to which."""

    groups: list[Group]
    owner: Cells  # a group's number; 0 where there is no hole

    def holes(self, mask: Mask, group: Group, box: Box) -> Mask:
        """The pixels of ``box`` that ``group`` fills: 255, else 0."""
        return _expand(self._cells(box) == group.number, box) & mask[box.window]

    def unknown(self, mask: Mask, group: Group, box: Box) -> Mask:
        """The pixels of ``box`` that are still to be filled when it is the turn of ``group``: 255, else 0."""
        return _expand(self._cells(box) >= group.number, box) & mask[box.window]

    def _cells(self, box: Box) -> Cells:
        """The owners of all cells that ``box`` touches."""
        return self.owner[box.top // CELL : -(-box.bottom // CELL), box.left // CELL : -(-box.right // CELL)]


def plan(mask: Mask, limit: int) -> Plan:
    """Group the holes of a mask.

    A hole gets as much context on each side as it is thick. What is larger than ``limit`` with its
    context is scaled down, unless it is long rather than thick (a wire, a scratch): then it is cut into pieces,
    each of which sees the ones before it already filled.

    Args:
        mask: H x W, 255 = fill.
        limit: longest side of what the network is to see.
    """
    touched = _pool(mask, np.maximum)
    _, components, boxes, _ = cv2.connectedComponentsWithStats(touched, connectivity=8, ltype=cv2.CV_32S)
    owner = components.astype(np.int32, copy=False)
    thickness = _thickness(_pool(mask, np.minimum), owner, len(boxes))
    pieces = list(_pieces(owner, boxes.astype(np.int64), thickness, mask.shape, limit))
    bundles = _bundles(pieces, mask.shape, limit)

    numbers = np.zeros(owner.max() + 1, np.int32)
    groups = []
    for number, (labels, holes, margin) in enumerate(bundles, 1):
        numbers[labels] = number
        crop = _crop(holes, margin, mask.shape)
        groups.append(Group(number, holes, crop, min(1.0, limit / max(crop.height, crop.width))))
    return Plan(groups, numbers[owner])


class _Bundle(NamedTuple):
    """Holes that share a crop, by their labels."""

    labels: list[int]
    holes: Box
    margin: int


def _pool(mask: Mask, extreme: np.ufunc) -> Mask:
    """The maximum or minimum of each cell: ceil(H / 8) x ceil(W / 8)."""
    rows = extreme.reduceat(mask, np.arange(0, mask.shape[0], CELL), axis=0)
    return extreme.reduceat(rows, np.arange(0, mask.shape[1], CELL), axis=1)


def _expand(cells: npt.NDArray[np.bool_], box: Box) -> Mask:
    """The cells that ``box`` touches as its pixels: 255 or 0."""
    values = cells.astype(np.uint8) * np.uint8(255)
    pixels = values.repeat(CELL, axis=0).repeat(CELL, axis=1)
    top, left = box.top % CELL, box.left % CELL
    return pixels[top : top + box.height, left : left + box.width]


def _thickness(full: Mask, owner: Cells, count: int) -> npt.NDArray[np.int64]:
    """Of each component, about the diameter of the largest disc inside it, in pixels.

    The disc may lie in part outside the image; no hole is further than half of it from what is known.
    Measured on the cells that are all hole: a dense pattern, known between its strokes, is thin.
    """
    depth = np.zeros(count, np.float32)
    inside = owner > 0
    distance = np.minimum(cv2.distanceTransform(full, cv2.DIST_L2, 3), max(full.shape))
    np.maximum.at(depth, owner[inside], distance[inside])
    return np.rint((2 * depth + 1) * CELL).astype(np.int64)


def _pieces(
    owner: Cells,
    boxes: npt.NDArray[np.int64],
    thickness: npt.NDArray[np.int64],
    shape: tuple[int, ...],
    limit: int,
) -> Iterator[_Bundle]:
    """Every component of ``owner``, cut where that keeps its resolution; the pieces get labels of their own there.

    Args:
        owner: label of each cell; changed.
        boxes: of each label: left, top, width and height in cells.
        thickness: of each label, in pixels.
        shape: of the image.
        limit: longest side of what the network is to see.
    """
    fresh = len(boxes)
    for label in range(1, len(boxes)):
        left, top, width, height = boxes[label, :4].tolist()
        cells = Box(top, left, top + height, left + width)
        thick = min(int(thickness[label]), CELL * max(width, height))
        margin = max(MARGIN, thick)
        crop = _crop(_pixels(cells, shape), margin, shape)
        whole = limit / max(crop.height, crop.width)
        wanted = min(1.0, limit / (thick + 2 * margin))
        # A thick hole in pieces may not match where they meet: only worth it for twice the resolution.
        if whole >= (wanted if thick <= MARGIN else wanted / 2):
            yield _Bundle([label], _pixels(cells, shape), margin)
            continue
        side = max(1, int(limit / wanted - 2 * margin) // CELL)
        for tile in cells.blocks(side):
            owners = owner[tile.window]
            rows, columns = np.nonzero(owners == label)
            if rows.size:
                owners[rows, columns] = fresh
                top, left = tile.top + int(rows.min()), tile.left + int(columns.min())
                held = Box(top, left, tile.top + int(rows.max()) + 1, tile.left + int(columns.max()) + 1)
                yield _Bundle([fresh], _pixels(held, shape), margin)
                fresh += 1


def _bundles(pieces: list[_Bundle], shape: tuple[int, ...], limit: int) -> list[_Bundle]:
    """Put pieces together wherever one crop fits the network and is no larger than the crops it replaces."""
    bundles: list[_Bundle] = []
    boxes = np.zeros((len(pieces), 4), np.int64)  # of the bundles, kept beside them to search all at once
    margins = np.zeros(len(pieces), np.int64)
    for piece in sorted(pieces, key=lambda p: p.holes):
        count = len(bundles)
        union = np.hstack(
            [np.minimum(boxes[:count, :2], piece.holes[:2]), np.maximum(boxes[:count, 2:], piece.holes[2:])]
        )
        margin = np.maximum(margins[:count], piece.margin)
        heights, widths = _sides(union, margin, shape)
        before = _sides(boxes[:count], margins[:count], shape).prod(0)
        alone = _sides(np.array([piece.holes]), np.array([piece.margin]), shape).prod()
        saved = np.where(np.maximum(heights, widths) <= limit, before + alone - heights * widths, -1)
        best = int(saved.argmax()) if count and saved.max() >= 0 else count
        if best < count:
            holes = Box(*union[best].tolist())
            bundles[best] = _Bundle(bundles[best].labels + piece.labels, holes, int(margin[best]))
        else:
            bundles.append(piece)
        boxes[best], margins[best] = bundles[best].holes, bundles[best].margin
    return bundles


def _pixels(cells: Box, shape: tuple[int, ...]) -> Box:
    """The pixels of a box of cells."""
    height, width = shape
    return Box(*(CELL * edge for edge in cells)).grow(0, height, width)


def _sides(
    holes: npt.NDArray[np.int64], margins: npt.NDArray[np.int64], shape: tuple[int, ...]
) -> npt.NDArray[np.int64]:
    """Heights and widths, 2 x n, of the crops of n x 4 boxes."""
    tops, bottoms = _span(holes[:, 0], holes[:, 2], margins, shape[0])
    lefts, rights = _span(holes[:, 1], holes[:, 3], margins, shape[1])
    return np.stack([bottoms - tops, rights - lefts])


def _crop(holes: Box, margin: int, shape: tuple[int, ...]) -> Box:
    """The box with its margin, at least ``SMALLEST`` long each way where the image is."""
    top, bottom = _span(holes.top, holes.bottom, margin, shape[0])
    left, right = _span(holes.left, holes.right, margin, shape[1])
    return Box(int(top), int(left), int(bottom), int(right))


def _span(start: Any, end: Any, margin: Any, extent: int) -> tuple[Any, Any]:
    """One side of a crop, or of many crops at once."""
    start, end = np.maximum(start - margin, 0), np.minimum(end + margin, extent)
    length = np.maximum(end - start, min(SMALLEST, extent))
    start = np.clip(start - (length - (end - start)) // 2, 0, extent - length)
    return start, start + length
