"""What keeps a player in bounds: of the critic its slope, of the generator its steps."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, target: float = 1.0, *, one_sided: bool = False
) -> Tensor:
    """Mean (|grad critic| - target)^2 at random points between real and fake samples.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", arXiv:1704.00028, eq. 3; its weight
    there is 10. The gradient is taken sample by sample: a critic with batch norm would mix them.

    Args:
        critic: N x ... to scores, N first.
        real: N x ...
        fake: the same shape; no gradient reaches it.
        target: the norm that is wanted; 0 for penalties of the R1 kind.
        one_sided: let smaller norms be (sec. 4, "two-sided penalty").
    """
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
    between = torch.lerp(fake.detach().to(real.dtype), real.detach(), share).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    excess = slope.flatten(1).norm(dim=1) - target
    return (excess.relu() if one_sided else excess).square().mean()


def history_penalty(new: Tensor, old: Tensor) -> Tensor:
    """Mean squared change of what a generator makes of the same codes; the old is a constant.

    Su 2018, "Variational Inference: A Unified Framework of Generative Models and Some Revelations",
    arXiv:1807.05936, in whose code its weight is 5. Its
    gradient is exactly 0 as long as the generator is the old one: take ``old`` before two or more
    steps on the same codes, or from a copy that is some steps behind.
    """
    return F.mse_loss(new, old.detach())
