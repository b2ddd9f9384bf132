"""How far a network with frozen statistics looks."""

import torch
from torch import Tensor

from imgen.networks.instance_norm import NormalisedNetwork


def reach(network: NormalisedNetwork, image: Tensor, multiple: int) -> int:
    """How far from a row of the result the farthest row of the image is that it depends on.

    Args:
        network: made double and given positive weights: no path cancels another, and no unit is dead.
        image: N x C x H x W, H large enough.
        multiple: the stride of the network: so many rows in its middle are looked at.
    """
    image, network = image.double().requires_grad_(), network.double()
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5).data.div_(parameter[0].numel())
    zeros = torch.zeros(network.statistics_size).double()
    made, _ = network.frozen(image, torch.stack([zeros, zeros + 1]))
    middle, farthest = image.shape[2] // 2, 0
    for row in range(middle, middle + multiple):
        (gradient,) = torch.autograd.grad(made[:, :, row].sum(), image, retain_graph=True)
        seen = gradient.sum((0, 1, 3)).nonzero().flatten()
        farthest = max(farthest, int((seen - row).abs().max()))
    return farthest
