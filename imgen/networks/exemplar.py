"""Fill a hole with pieces of what is known: patch matching inside the graph, without a learnt value.

The idea of Criminisi et al. 2004, "Region Filling and Object Removal by Exemplar-Based Image
Inpainting", as the alternation of Wexler et al. 2007, "Space-Time Completion of Video": find for every
patch that touches the hole the most similar patch of known pixels, then let all patches that cover a
place vote for its colour, and repeat. At an eighth of the resolution the search is exhaustive; at a
quarter it carries the offsets of neighbours along (Barnes et al. 2009, "PatchMatch", sec. 3.2); the
last vote reads the picture itself, so that grain and edges arrive as sharp as they are elsewhere.

Colours are whole numbers 0..255 wherever a choice depends on them. Sums and products of such numbers
are exact in float32 in whatever order they are taken, so every runtime chooses the same patches: with
fractions, rounding would decide between near ties and results would differ.

Windows are taken and put back by convolutions with kernels of ones and zeros: few operators, which
keeps the exported graph small.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

COARSE, FINE = 8, 4  # pixels a cell
PATCH = 5  # side of the patches, in cells
REACH = PATCH // 2
ROUNDS = 3  # of search and vote at the coarse level
_HALF = 3e4  # the distance of two patches at which the trust in a copy is half
_NEVER = 1e7  # above every distance of two patches; all sums stay below 2^24, where float32 is exact


def exemplar_fill(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Fill the hole by copying.

    Args:
        image: N x 3 x H x W in 0..1, H and W multiples of 8; values in the hole are ignored.
        mask: N x 1 x H x W, 1 = fill.

    Returns:
        The picture, N x 3 x H x W in 0..1: outside the hole the image, inside averages of few copies of
        known patches (of blurred colours, when no patch is wholly known); and how well the patches fit what is
        around them, N x 1 x H x W in 0..1.
    """
    if torch.is_autocast_enabled(image.device.type):  # half precision would make of the distances nothing but rounding
        with torch.autocast(image.device.type, enabled=False):
            return exemplar_fill(image.float(), mask.float())
    known, hole = _level(image, mask, COARSE)
    cells = _spread(known, hole)
    for _ in range(ROUNDS):
        source, trust = _search(cells, hole)
        cells = torch.where(hole > 0, _vote(cells, source, trust), cells)
    candidates = 2 * F.interpolate(_offsets(source, cells), scale_factor=2.0, mode="nearest")
    known, hole = _level(image, mask, FINE)
    cells = torch.where(hole > 0, F.interpolate(cells, scale_factor=2.0, mode="nearest"), known)
    source, trust = _refine(cells, hole, candidates)
    # Where no patch is wholly known, a copy may begin in the hole; what is there is a guess, never the image.
    shown = torch.where(mask > 0, _enlarge(cells) / 255, image)
    filled = torch.where(mask > 0, _paste(shown, _offsets(source, cells), trust), image)
    return filled, _enlarge(trust) / 64


def _level(image: Tensor, mask: Tensor, cell: int) -> tuple[Tensor, Tensor]:
    """The mean known colour of every cell, whole numbers, and the cells that the hole touches."""
    known = 1 - mask
    count = F.avg_pool2d(known, cell) * cell**2
    total = F.avg_pool2d((image * 255).round() * known, cell) * cell**2
    return (total / count.clamp(min=1)).round(), F.max_pool2d(mask, cell)


def _spread(cells: Tensor, hole: Tensor) -> Tensor:
    """Colours for the cells in the hole: means of known cells in growing neighbourhoods."""
    weight = 1 - hole
    colour = cells * weight
    kernel = torch.ones(4, 1, 3, 3, dtype=cells.dtype, device=cells.device)
    for reach in (1, 2, 4, 8, 16, 32):
        both = F.conv2d(torch.cat([colour, weight], 1), kernel, padding=reach, dilation=reach, groups=4)
        found = both[:, 3:].clamp(max=1) * (1 - weight)
        colour = colour + found * (both[:, :3] / both[:, 3:].clamp(min=1)).round()
        weight = weight + found
    return colour


def _search(cells: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """For every cell the place of the most similar usable patch, N x (H W), and the trust in it, N x 1 x H x W."""
    patches = _around(cells, REACH)
    square = patches.square().sum(1, keepdim=True)
    keys = torch.cat([patches, square + _NEVER * _unusable(hole)], 1)
    queries = torch.cat([-2 * patches, torch.ones_like(square)], 1)
    best, source = (queries.transpose(1, 2) @ keys).min(2)
    return source.to(cells.dtype), _trust(best[:, None] + square).reshape(hole.shape)


def _refine(cells: Tensor, hole: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """As ``_search``, among the offsets of the nine cells around, which are N x 2 x H x W."""
    patches = _around(cells, REACH).transpose(1, 2)
    places = _places(_around(offsets, 1, step=2), cells)
    differences = patches[:, None] - _pick(patches, places)
    cost = _pick(_unusable(hole).transpose(1, 2), places)
    distance = (differences * differences).sum(3) + _NEVER * cost[..., 0]
    best, which = distance.min(1, keepdim=True)
    return places.gather(1, which)[:, 0], _trust(best).reshape(hole.shape)


def _trust(distance: Tensor) -> Tensor:
    """1..64, whole numbers."""
    return (63 * _HALF / (_HALF + distance)).floor() + 1


def _unusable(hole: Tensor) -> Tensor:
    """1 where a patch touches the hole or the border, N x 1 x (H W)."""
    return F.max_pool2d(F.pad(hole, (REACH,) * 4, value=1.0), PATCH, 1).flatten(2)


def _vote(cells: Tensor, source: Tensor, trust: Tensor) -> Tensor:
    """For every cell the weighted mean of what the patches that cover it have in its place."""
    copied = _pick(_around(cells, REACH).transpose(1, 2), source).transpose(1, 2).unflatten(2, cells.shape[2:])
    ramp = torch.tensor([1.0, 2, 3, 2, 1], device=cells.device, dtype=cells.dtype)
    window = (ramp[:, None] * ramp).reshape(1, 1, PATCH, PATCH)
    kernel = _windows(PATCH, 3, cells) * window
    # A cell near the border has fewer votes: theirs that come from outside the picture do not count.
    total = F.conv_transpose2d(copied * trust, kernel, padding=REACH)
    return (total / F.conv_transpose2d(trust, window, padding=REACH)).round()


def _paste(image: Tensor, offsets: Tensor, trust: Tensor) -> Tensor:
    """The same with the picture's own pixels; each is covered by the patches of the nearest nine cells."""
    span = 3 * FINE  # pixels over which a patch fades in and out
    ramp = 1 - (torch.arange(span, device=image.device, dtype=image.dtype) - (span - 1) / 2).abs() * 2 / span
    inner = ramp.reshape(3, FINE).flip(0)  # of the cell above, this one, the one below, at the pixels of this one
    window = (inner[:, None, :, None] * inner[None, :, None, :]).reshape(1, 9, FINE, FINE)
    weight = _enlarge(_around(trust, 1).unflatten(2, trust.shape[2:]))
    weight = weight * window.repeat(1, 1, trust.shape[2], trust.shape[3])
    moved = _around(offsets, 1).unflatten(2, trust.shape[2:])
    places = _places((FINE * _enlarge(moved)).flatten(2), image)
    pixels = _pick(image.flatten(2).transpose(1, 2), places)
    total = (pixels * weight.flatten(2)[..., None]).sum(1).transpose(1, 2)
    return total.reshape(image.shape) / weight.sum(1, keepdim=True)


def _around(cells: Tensor, reach: int, step: int = 1) -> Tensor:
    """The windows around every cell, N x (C k k) x (H W) with k = 2 reach + 1; the border repeats."""
    padded = F.pad(cells, (reach * step,) * 4, mode="replicate")
    return F.conv2d(padded, _windows(2 * reach + 1, cells.shape[1], cells), dilation=step).flatten(2)


def _windows(side: int, channels: int, like: Tensor) -> Tensor:
    """The kernel that lays out windows, channel by channel: (C side side) x C x side x side."""
    return torch.eye(channels * side**2, device=like.device, dtype=like.dtype).reshape(-1, channels, side, side)


def _pick(rows: Tensor, places: Tensor) -> Tensor:
    """Whole rows of N x L x C by their places, N x ..., to N x ... x C: one gather of contiguous memory."""
    count, length, channels = rows.shape
    first = length * torch.arange(count, device=rows.device)
    index = places.long().flatten(1) + first[:, None]
    return rows.reshape(-1, channels).index_select(0, index.flatten()).reshape(*places.shape, channels)


def _offsets(source: Tensor, cells: Tensor) -> Tensor:
    """From places, N x (H W), to rows and columns relative to the cell that reads, N x 2 x H x W."""
    height, width = cells.shape[2:]
    place = source.reshape(-1, height, width)
    row = (place / width).floor()
    down, across = _grid(cells)
    return torch.stack([row - down, place - row * width - across], 1)


def _places(windows: Tensor, cells: Tensor) -> Tensor:
    """From windows of relative rows and columns, N x 18 x (H W), to places inside, N x 9 x (H W)."""
    height, width = cells.shape[2:]
    down, across = (m.reshape(1, 1, -1) for m in torch.broadcast_tensors(*_grid(cells)))
    rows, columns = (down + windows[:, :9]).clamp(0, height - 1), (across + windows[:, 9:]).clamp(0, width - 1)
    return rows * width + columns


def _grid(cells: Tensor) -> tuple[Tensor, Tensor]:
    height, width = cells.shape[2:]
    down = torch.arange(height, dtype=cells.dtype, device=cells.device)[:, None]
    return down, torch.arange(width, dtype=cells.dtype, device=cells.device)


def _enlarge(values: Tensor) -> Tensor:
    return F.interpolate(values, scale_factor=float(FINE), mode="nearest")
