"""How far a network looks, measured."""

import copy

import torch
from torch import Tensor, nn


def radius_of(network: nn.Module, limit: int = 64) -> int | None:
    """How many pixels beyond its own an output pixel may depend on, in input pixels.

    Measured by what has a gradient in float64, and the larger of two: with the network's own weights, which may
    have units that are dead; and with random positive ones, with which no unit is dead and no path cancels
    another, but gates may be saturated. In both it must also give the same for an image and for that image
    shifted by a pixel, which windows, positions and anything else that counts from the border do not.

    Args:
        network: from N x 3 x H x W to N x C x scale*H x scale*W.
        limit: the largest radius that is looked for; the cost grows with it.

    Returns:
        The radius; None if it is larger than ``limit``, not the same everywhere, or cannot be measured.
    """
    own = copy.deepcopy(network).cpu().double().eval().requires_grad_(False)
    positive = copy.deepcopy(own)
    generator = torch.Generator().manual_seed(0)
    for parameter in positive.parameters():
        fan = parameter[0].numel() if parameter.ndim > 1 else 1
        parameter.uniform_(0.5, 1.5, generator=generator).div_(fan)
    long = 2 * limit + 4
    images = [torch.rand(1, 3, *size, generator=generator).double() for size in ((long, _SHORT), (_SHORT, long))]
    cases = [(probe, image, axis) for probe in (own, positive) for image, axis in zip(images, (2, 3), strict=True)]
    try:
        radius = max(_reach(*case) for case in cases)
        same = radius <= limit and all(_same_when_shifted(*case, radius) for case in cases)
    except Exception:  # other people's code that does not take images of this shape
        return None
    return radius if same else None


_SHORT = 4  # pixels, of the side along which nothing is measured


def _reach(network: nn.Module, image: Tensor, axis: int) -> int:
    """The radius along an axis, seen from its middle."""
    centre = image.shape[axis] // 2 - 1
    seen_from = image.clone().requires_grad_()
    made = network(seen_from)
    scale = made.shape[axis] // image.shape[axis]
    (gradient,) = torch.autograd.grad(made.narrow(axis, centre * scale, scale).sum(), seen_from)
    seen = gradient.sum([other for other in range(4) if other != axis]).nonzero().flatten()
    return int((seen - centre).abs().max()) if len(seen) else 0


def _same_when_shifted(network: nn.Module, image: Tensor, axis: int, radius: int) -> bool:
    """Whether an image without its first row gives the same, but for what is as near to the border as the radius."""
    length = image.shape[axis]
    made, shifted = network(image), network(image.narrow(axis, 1, length - 1))
    scale = made.shape[axis] // length
    inside = (length - 1 - 2 * radius) * scale
    first, second = made.narrow(axis, (1 + radius) * scale, inside), shifted.narrow(axis, radius * scale, inside)
    return torch.allclose(first, second, rtol=1e-9)
