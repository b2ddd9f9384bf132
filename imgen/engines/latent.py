"""The code of a given image, found by search: for generators that have no encoder.

Reference: Zhu et al. 2016, "Generative Visual Manipulation on the Natural Image Manifold",
arXiv:1609.03552, sec. 4.1 (projection by optimisation).
"""

from collections.abc import Callable

import torch
from torch import Tensor


def optimise_latent(
    decode: Callable[[Tensor], Tensor],
    target: Tensor,
    start: Callable[[int], Tensor],
    *,
    steps: int = 500,
    learning_rate: float = 0.05,
    restarts: int = 4,
) -> Tensor:
    """Codes z that minimise the squared distance of decode(z) from each target, by Adam.

    Every target is searched from several starts at once, and the best code seen on the way wins. The
    networks behind ``decode`` get no gradient; put them into evaluation mode, or the codes of one batch
    influence each other.

    Args:
        decode: N x Z to N x C x H x W (or N x D), differentiable.
        target: what decode should give, in the same range.
        start: draws n starting codes, n x Z.
        steps: of Adam.
        learning_rate: of Adam, in the unit of the codes.
        restarts: starts per target.

    Returns:
        N x Z.
    """
    n = len(target)
    wanted = target.repeat(restarts, *[1] * (target.ndim - 1))
    with torch.enable_grad():
        code = start(n * restarts).to(target.device).detach().requires_grad_()
        optimizer = torch.optim.Adam([code], learning_rate)
        best, nearest = code.detach().clone(), torch.full((n * restarts,), torch.inf, device=target.device)
        for step in range(steps + 1):
            distance = (decode(code) - wanted).square().flatten(1).sum(1)
            better = distance.detach() < nearest
            nearest = torch.where(better, distance.detach(), nearest)
            best[better] = code.detach()[better]
            if step < steps:
                (code.grad,) = torch.autograd.grad(distance.sum(), [code])
                optimizer.step()
    winner = nearest.reshape(restarts, n).argmin(0)
    return best.reshape(restarts, n, -1)[winner, torch.arange(n, device=target.device)]
