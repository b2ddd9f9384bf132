"""The only training loop: it knows players and losses, nothing of what they mean."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Adam

from imgen.engines.engine import Engine
from imgen.errors import ImgenError
from imgen.training import checkpoint
from imgen.training.config import TrainConfig
from imgen.training.ema import MovingAverage


class Source(Protocol):
    """Batches by number: a pure function, so a run goes on where it stopped by the number alone."""

    def batch(self, index: int) -> Any:
        """The batch of that number: a NamedTuple of tensors on the CPU."""


class Trainer:
    """An engine, its optimisers and its moving average, going through steps.

    Args:
        engine: what to train.
        source: where batches come from.
        config: numbers of the loop.
        folder: of the run; holds checkpoint.pt, config.json, log.jsonl and pictures.
        device: "cpu", "cuda", ...
        picture: called with the averaged product now and then; writes what it wants into the folder.
    """

    def __init__(
        self,
        engine: Engine,
        source: Source,
        config: TrainConfig,
        folder: Path,
        *,
        device: str = "cpu",
        picture: Callable[[nn.Module, int], None] | None = None,
    ) -> None:
        self.config, self.source, self.folder, self.picture = config, source, folder, picture
        self.device = torch.device(device)
        memory = torch.channels_last if config.channels_last else torch.contiguous_format
        self.engine = engine.to(self.device, memory_format=memory).train()  # type: ignore[call-overload]
        self.players = engine.players()
        self.optimizers = {
            name: Adam([p for p in player.network.parameters() if p.requires_grad], player.learning_rate, player.betas)
            for name, player in self.players.items()
        }
        self.average = MovingAverage(engine.product, config.ema)
        self.step, self.drawn = 0, 0

    def resume(self) -> None:
        """Go on from the folder's checkpoint: the run then equals one that was never stopped."""
        state = checkpoint.load(self.folder)
        self.engine.load_state_dict(state["engine"])
        self.average.network.load_state_dict(state["average"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.step, self.drawn = state["step"], state["drawn"]

    def save(self) -> None:
        """Write the checkpoint."""
        checkpoint.save(
            self.folder,
            {
                "engine": self.engine.state_dict(),
                "average": self.average.network.state_dict(),
                "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
                "step": self.step,
                "drawn": self.drawn,
            },
        )

    def run(self) -> None:
        """Train to the last step; Ctrl-C saves first and then goes up.

        Raises:
            ImgenError: a loss is not a number; the checkpoint before it is kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.json").write_text(json.dumps(asdict(self.config), indent=2) + "\n")
        batches, since, began = self._batches(), self.step, time.monotonic()
        try:
            while self.step < self.config.steps:
                losses = self._one_step(batches)
                self.average.update(self.engine.product, self.step)
                self.step += 1
                if self.step % self.config.log_every == 0:
                    pace = (self.step - since) / (time.monotonic() - began)
                    since, began = self.step, time.monotonic()
                    self._log(losses, pace)
                if self.step % self.config.save_every == 0:
                    self.save()
                if self.picture is not None and self.step % self.config.picture_every == 0:
                    self.picture(self.average.network, self.step)
        except KeyboardInterrupt:
            self.save()
            raise
        self.save()

    def _one_step(self, batches: Iterator[Any]) -> dict[str, float]:
        rate = self.config.rate(self.step)
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.players[name].learning_rate * rate
        losses: dict[str, Tensor] = {}
        updates = self.engine.step(batches, self.step)
        bf16 = self.config.precision == "bf16"
        while True:
            # The generator runs inside the autocast region, the optimisers outside of it.
            with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
                update = next(updates, None)
            if update is None:
                break
            both = update if isinstance(update, Mapping) else dict([update])
            losses |= {name: loss.detach() for name, loss in both.items()}
            self._apply(both)
        values = {name: float(loss) for name, loss in losses.items()}
        bad = [name for name, value in values.items() if value != value]  # noqa: PLR0124 (not a number)
        if bad:
            raise ImgenError(f"step {self.step}: the loss of {bad[0]} is not a number; lower the learning rate")
        return values

    def _apply(self, losses: Mapping[str, Tensor]) -> None:
        """All gradients first, each with respect to its player's own parameters, then all steps."""
        last = len(losses) - 1
        gradients = {
            name: torch.autograd.grad(loss, self._parameters(name), retain_graph=i < last, allow_unused=True)
            for i, (name, loss) in enumerate(losses.items())
        }
        for name, grads in gradients.items():
            parameters = self._parameters(name)
            for parameter, grad in zip(parameters, grads, strict=True):
                parameter.grad = grad
            nn.utils.clip_grad_norm_(parameters, self.config.clip)
            self.optimizers[name].step()
            self.optimizers[name].zero_grad(set_to_none=True)

    def _parameters(self, player: str) -> list[nn.Parameter]:
        return self.optimizers[player].param_groups[0]["params"]

    def _batches(self) -> Iterator[Any]:
        while True:
            batch = self.source.batch(self.drawn)
            self.drawn += 1
            yield type(batch)(*(self._place(tensor) for tensor in batch))

    def _place(self, tensor: Tensor) -> Tensor:
        memory = torch.channels_last if self.config.channels_last and tensor.ndim == 4 else torch.preserve_format
        return tensor.to(self.device, memory_format=memory, non_blocking=True)

    def _log(self, losses: Mapping[str, float], pace: float) -> None:
        record = {"step": self.step, **losses, **self.engine.terms(), "steps_per_second": round(pace, 3)}
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")
        parts = "  ".join(f"{name} {value:.4g}" for name, value in record.items() if name != "step")
        print(f"step {self.step}/{self.config.steps}  {parts}", flush=True)
