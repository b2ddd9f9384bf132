"""The exponential moving average of an engine's weights, which is what is used and shipped."""

import copy

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
        # Listed once: walking through the modules at every step would take longer than the average.
        self._weights: list[list[Tensor]] = [list(each.parameters()) for each in (self.engine, engine)]
        self._owners = [
            [(module, name) for module in each.modules() for name in module._buffers] for each in (self.engine, engine)
        ]

    @torch.no_grad()
    def update(self, t: int) -> None:
        """Take in the weights after step ``t`` (from 0); buffers are copied."""
        mine, theirs = self._weights
        torch._foreach_lerp_(mine, theirs, 1 - min(self.decay, (1 + t) / (10 + t)))
        # By name: an engine may put new tensors in their places.
        buffers = [[getattr(module, name) for module, name in owners] for owners in self._owners]
        pairs = [(here, there) for here, there in zip(*buffers, strict=True) if here is not None]
        if pairs:
            torch._foreach_copy_([here for here, _ in pairs], [there for _, there in pairs])
