"""The exponential moving average of an engine's weights, which is what is used and shipped."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor

from imgen.engines.engine import Engine


class MovingAverage:
    """Average of a whole engine over its last 1 / (1 - decay) steps, less in the beginning.

    ``engine`` is an engine of its own, in evaluation mode: sample and reconstruct with it. The early
    decay, (1 + t) / (10 + t), forgets the random start (as in TensorFlow's ``ExponentialMovingAverage``).
    """

    def __init__(self, engine: Engine, decay: float) -> None:
        self.engine = copy.deepcopy(engine).eval().requires_grad_(False)
        self.decay = decay
        self._mine, self._theirs = _tensors(self.engine.parameters()), _tensors(engine.parameters())
        self._my_buffers, self._their_buffers = _tensors(self.engine.buffers()), _tensors(engine.buffers())

    @torch.no_grad()
    def update(self, t: int) -> None:
        """Take in the weights after step ``t`` (from 0); buffers are copied."""
        torch._foreach_lerp_(self._mine, self._theirs, 1 - min(self.decay, (1 + t) / (10 + t)))
        if self._my_buffers:
            torch._foreach_copy_(self._my_buffers, self._their_buffers)


def _tensors(of: Iterable[Tensor]) -> list[Tensor]:
    """Listed once: walking through the modules at every step would take longer than the average."""
    return list(of)
