"""What makes a discriminator's task harder, so that it stays informative: all of it should decay to nothing.

At strength 0 each of these gives its input back and draws no random number.
"""

import math

import torch
from torch import Tensor

from imgen.losses.adversarial import Label


def linear_decay(t: int, steps: int) -> float:
    """1 at step 0, straight down to 0 at ``steps`` and after."""
    return max(0.0, 1 - t / steps)


def cosine_decay(t: int, steps: int) -> float:
    """1 at step 0, half a cosine down to 0 at ``steps`` and after."""
    return 0.0 if t >= steps else (1 + math.cos(math.pi * t / steps)) / 2


def instance_noise(x: Tensor, sigma: float) -> Tensor:
    """Normal noise for real and fake alike: it gives distributions on thin sets an overlap, so a finite divergence.

    Sønderby et al. 2017, "Amortised MAP Inference for Image Super-resolution", arXiv:1610.04490;
    Arjovsky & Bottou 2017, arXiv:1701.04862, sec. 3.

    Args:
        x: N x ...
        sigma: standard deviation, in the unit of x.
    """
    return x + sigma * torch.randn_like(x) if sigma else x


def noisy_labels(count: int, smooth: float = 1.0, flip: float = 0.0, *, device: torch.device) -> tuple[Label, Label]:
    """The labels of real and of fake samples for ``Adversarial.discriminator``.

    Fakes are never smoothed: that would draw the discriminator's optimum to where fakes are (Salimans
    et al. 2016, arXiv:1606.03498, sec. 3.4).

    Args:
        count: N.
        smooth: the label of real samples; 0.9 in the paper.
        flip: chance of each sample, real or fake, to bear the other label, 0..1/2.
        device: of the result.
    """
    if not flip:
        return smooth, 0.0
    real, fake = torch.rand(2, count, device=device) < flip
    return torch.where(real, 0.0, smooth), fake.float()


def patch_noise(image: Tensor, share: float, patch: int = 4) -> Tensor:
    """Replace random patches of an image by uniform noise.

    Args:
        image: N x C x H x W in -1..1.
        share: chance of each patch, 0..1.
        patch: side of a patch in pixels.
    """
    if not share:
        return image
    n, _, height, width = image.shape
    grid = torch.rand(n, 1, -(-height // patch), -(-width // patch), device=image.device) < share
    chosen = grid.repeat_interleave(patch, 2).repeat_interleave(patch, 3)[:, :, :height, :width]
    return torch.where(chosen, torch.rand_like(image) * 2 - 1, image)
