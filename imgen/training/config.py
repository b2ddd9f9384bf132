"""How to train: one frozen dataclass for every engine."""

from dataclasses import dataclass

from imgen.errors import UsageError


@dataclass(frozen=True)
class TrainConfig:
    """Numbers of the loop; those of a method are in the engine's own config."""

    steps: int = 100_000
    warm_up: int = 200  # steps of linear growth of the learning rate
    decay: float = 0.2  # last share of the steps, over which the learning rate falls linearly to 2 %
    ema: float = 0.998  # of the product's moving average, a step
    clip: float = 10.0  # largest norm of a player's gradient
    precision: str = "fp32"  # "bf16": autocast
    channels_last: bool = True
    seed: int = 0
    log_every: int = 100
    save_every: int = 500
    picture_every: int = 2000

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise UsageError(f"steps must be at least 1, got {self.steps}")
        if self.precision not in ("fp32", "bf16"):
            raise UsageError(f"precision must be fp32 or bf16, got {self.precision!r}")

    def rate(self, t: int) -> float:
        """The factor on every learning rate at step ``t``, 0..1."""
        start = (t + 1) / max(self.warm_up, 1)
        left = (self.steps - t) / max(self.decay * self.steps, 1)
        return min(1.0, start, max(left, 0.02))
