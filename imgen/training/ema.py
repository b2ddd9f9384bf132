"""The exponential moving average of a network's weights, which is what is used and shipped."""

import copy

import torch
from torch import Tensor, nn


class MovingAverage:
    """Average of a network over its last 1 / (1 - decay) steps, less in the beginning.

    The early decay, (1 + t) / (10 + t), forgets the random start (as in TensorFlow's
    ``ExponentialMovingAverage``).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, t: int) -> None:
        """Take in the weights after step ``t`` (from 0); buffers are copied."""
        weight = 1 - min(self.decay, (1 + t) / (10 + t))
        averages: list[Tensor] = list(self.network.parameters())
        latest: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(averages, latest, weight)
        for mine, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)
