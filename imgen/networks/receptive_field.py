"""How far a network looks, measured."""

import copy

import torch
from torch import Tensor, nn


def radius_of(network: nn.Module, limit: int = 64) -> int | None:
    """How many pixels beyond its own an output pixel may depend on, in input pixels.

    Measured in float64 on a copy whose weights are random but positive: no unit is then dead and no path
    cancels another, so what has a gradient is all that there can be. The copy must also give the same for an image
    and for that image shifted by a pixel, which windows, positions and anything else that counts from
    the border do not.

    Args:
        network: from N x 3 x H x W to N x C x scale*H x scale*W.
        limit: the largest radius that is looked for; the cost grows with it.

    Returns:
        The radius; None if it is larger than ``limit``, not the same everywhere, or cannot be measured.
    """
    probe = copy.deepcopy(network).cpu().double().eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in probe.parameters():
        fan = parameter[0].numel() if parameter.ndim > 1 else 1
        parameter.uniform_(0.5, 1.5, generator=generator).div_(fan)
    long = 2 * limit + 4
    images = [torch.rand(1, 3, *size, generator=generator).double() for size in ((_SHORT, long), (long, _SHORT))]
    try:
        reaches = [_reach(probe, image, axis, limit) for image, axis in zip(images, (3, 2), strict=True)]
    except Exception:  # other people's code that does not take images of this shape
        return None
    return max(reaches) if max(reaches) <= limit else None


_SHORT = 4  # pixels, of the side along which nothing is measured


def _reach(network: nn.Module, image: Tensor, axis: int, limit: int) -> int:
    """The radius along an axis of 2 * limit + 4 pixels, or ``limit`` + 1."""
    length, centre = image.shape[axis], limit + 1
    image.requires_grad_()
    made = network(image)
    scale = made.shape[axis] // length
    (gradient,) = torch.autograd.grad(made.narrow(axis, centre * scale, scale).sum(), image)
    seen = gradient.sum([other for other in range(4) if other != axis]).nonzero().flatten()
    radius = int((seen - centre).abs().max())
    if radius > limit:
        return limit + 1
    with torch.no_grad():
        shifted = network(image.narrow(axis, 1, length - 1))
    inside = (length - 1 - 2 * radius) * scale  # where both see the same
    first, second = made.narrow(axis, (1 + radius) * scale, inside), shifted.narrow(axis, radius * scale, inside)
    return radius if torch.allclose(first, second, rtol=1e-9) else limit + 1
