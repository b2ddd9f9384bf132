"""How to train: one frozen dataclass for every engine."""

from dataclasses import dataclass
from typing import Literal

from imgen.errors import UsageError


@dataclass(frozen=True)
class TrainConfig:
    """Numbers of the loop; those of a method are in the engine's own config."""

    steps: int = 20_000
    warm_up: int = 0  # steps over which the learning rates grow linearly to their full value
    decay: float = 0.0  # share of the steps, the last ones, over which the rates fall linearly to 0; 0: constant
    ema: float = 0.999  # decay of the moving average, a step
    clip: float = 0.0  # largest norm of a player's gradient; 0: any
    accumulate: int = 1  # batches in a step: their gradients are averaged, as of one batch so many times as large
    precision: Literal["fp32", "bf16"] = "fp32"  # "bf16": autocast
    workers: int = 0  # processes that make the batches; 0: this one
    seed: int = 0
    log_every: int = 100
    save_every: int = 500
    picture_every: int = 1000

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "log_every", "save_every", "picture_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("warm_up", "clip", "workers", "seed"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must not be negative, got {getattr(self, name)}")
        if not 0 <= self.decay <= 1:
            raise UsageError(f"decay is a share of the steps, 0 to 1, got {self.decay}")
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema must be 0 or more and less than 1, got {self.ema}")
        if self.precision not in ("fp32", "bf16"):
            raise UsageError(f"precision must be fp32 or bf16, got {self.precision!r}")

    def rate(self, t: int) -> float:
        """The factor on every learning rate at step ``t``, 0..1: 0 at the last step of a decay."""
        factor = min(1.0, (t + 1) / self.warm_up) if self.warm_up else 1.0
        falling = int(self.decay * self.steps)
        return min(factor, (self.steps - 1 - t) / falling) if falling else factor
