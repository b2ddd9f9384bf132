"""The players of an engine at work: gradients with respect to their own parameters, and their optimisers."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, RMSprop

from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import ImgenError
from imgen.training import distributed
from imgen.training.config import TrainConfig

Gradients = list[Tensor | None]
_REMEDY = "begin again with a lower learning rate, or with clip"


class Players:
    """Carries out what ``Engine.step`` yields.

    Gradients are taken with ``torch.autograd.grad`` with respect to the player's parameters alone, so no
    loss can move another player, whatever its graph reaches.

    Accumulation runs ``accumulate`` of the engine's steps side by side, each on batches of its own: at
    every ``yield`` all of them give their gradients, the players move by the average, and all go on. For
    losses that are means over the batch this is the step on one batch so many times as large, in the
    paper's order of updates too. (Batch normalisation still sees the small batches.)
    """

    def __init__(self, engine: Engine, config: TrainConfig, device: torch.device) -> None:
        self.engine, self.config, self.device = engine, config, device
        self.players = engine.players()
        self.optimizers = {name: _optimizer(player) for name, player in self.players.items()}
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def step(self, batches: Iterator[Any], t: int) -> None:
        """All updates of one step of the engine, with the learning rates of step ``t``."""
        rate = self.config.rate(t)
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.players[name].learning_rate * rate
        side_by_side = [self._gradients(self.engine.step(batches, t)) for _ in range(self.config.accumulate)]
        for updates in zip(*side_by_side, strict=True):
            for name in updates[0]:
                self._move(name, [update[name] for update in updates])

    def _gradients(self, updates: Updates) -> Iterator[dict[str, Gradients]]:
        """The losses of one batch, each turned into gradients at once, so that its graph is freed."""
        bf16 = self.config.precision == "bf16"
        while True:
            # The engine's code runs inside the autocast region, the optimisers outside of it.
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
                update = next(updates, None)
            if update is None:
                return
            losses = update if isinstance(update, Mapping) else dict([update])
            last = len(losses) - 1
            gradients: dict[str, Gradients] = {}
            for i, (name, loss) in enumerate(losses.items()):
                self._note(name, loss.detach())
                parameters = self.parameters(name)
                gradients[name] = list(
                    torch.autograd.grad(
                        loss / self.config.accumulate, parameters, retain_graph=i < last, allow_unused=True
                    )
                )
            del update, losses, loss
            yield gradients

    def _move(self, name: str, parts: list[Gradients]) -> None:
        """One step of a player's optimiser by the sum of the parts, averaged over the processes."""
        parameters = self.parameters(name)
        for parameter, *gradients in zip(parameters, *parts, strict=True):
            given = [gradient for gradient in gradients if gradient is not None]
            parameter.grad = _laid_out_as(parameter, sum(given[1:], given[0])) if given else None
        distributed.average([parameter.grad for parameter in parameters])
        if self.config.clip:
            nn.utils.clip_grad_norm_(parameters, self.config.clip)
        self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)

    def parameters(self, name: str) -> list[nn.Parameter]:
        """What a player may move."""
        return self.optimizers[name].param_groups[0]["params"]

    def _note(self, name: str, loss: Tensor) -> None:
        """Kept as a sum on the device: reading every loss would make a GPU wait, and not-a-number survives."""
        self._sums[name] = self._sums[name] + loss if name in self._sums else loss
        self._counts[name] = self._counts.get(name, 0) + 1

    def losses(self) -> dict[str, float]:
        """Each player's mean loss since ``forget``.

        Raises:
            ImgenError: one of them is not a finite number.
        """
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        bad = [name for name, mean in means.items() if not abs(mean) < float("inf")]
        if bad:
            raise ImgenError(f"the loss of the {bad[0]} is not a number any more; {_REMEDY}")
        return means

    def check_finite(self) -> None:
        """Before all is saved.

        Raises:
            ImgenError: a loss since ``forget`` or a weight is not a finite number.
        """
        self.losses()
        for name in self.optimizers:
            if not all(bool(parameter.isfinite().all()) for parameter in self.parameters(name)):
                raise ImgenError(f"the {name} has weights that are not numbers any more; {_REMEDY}")

    def forget(self) -> None:
        """Begin new means."""
        self._sums, self._counts = {}, {}

    def state_dict(self) -> dict[str, Any]:
        """Of the optimisers."""
        return {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Of the optimisers."""
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])


def _laid_out_as(parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient in the parameter's order in memory: the fused optimisers read both as one row of numbers."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def _optimizer(player: Player) -> Optimizer:
    """Fused: one pass over all parameters instead of one a parameter and operation."""
    parameters = [parameter for parameter in player.network.parameters() if parameter.requires_grad]
    if player.optimizer == "adam":
        return Adam(parameters, player.learning_rate, player.betas, fused=True)
    if player.optimizer == "rmsprop":
        return RMSprop(parameters, player.learning_rate)
    return SGD(parameters, player.learning_rate, fused=True)
