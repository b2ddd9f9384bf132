"""The only training loop: it knows players and losses, nothing of what they mean."""

import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imgen.engines.engine import Engine
from imgen.errors import ImgenError, ModelError
from imgen.training import checkpoint, distributed
from imgen.training.config import TrainConfig
from imgen.training.ema import MovingAverage
from imgen.training.loader import Loader, Source
from imgen.training.players import Players
from imgen.training.records import Progress, Records
from imgen.training.stopping import stop_signals


class Trainer:
    """An engine, its players and its moving average, going through steps.

    Under torchrun every process has one, which sees its share of the data; only the first of them
    writes, and the losses in its log are those of its own share.

    Args:
        engine: what to train.
        source: where batches come from.
        config: numbers of the loop.
        folder: of the run; gets checkpoints/last.pt, log.jsonl, tensorboard/ and samples/.
        device: "cpu", "cuda", ...
        picture: makes a picture of the averaged engine, C x H x W in 0..1, or None; it is called now and
            then, every time with the same random numbers.
    """

    def __init__(
        self,
        engine: Engine,
        source: Source,
        config: TrainConfig,
        folder: Path,
        *,
        device: str = "cpu",
        picture: Callable[[Engine], Tensor | None] | None = None,
    ) -> None:
        self.config, self.source, self.folder, self.picture = config, source, folder, picture
        self.device = torch.device(distributed.start(device))
        # Channels last is what convolutions are fast with, on CPUs and GPUs alike; vectors are not touched.
        self.engine = engine.to(self.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        if distributed.world() > 1:
            distributed.broadcast([*engine.parameters(), *engine.buffers()])  # as the first one has them
            torch.manual_seed(config.seed + distributed.rank())  # everyone draws noise of their own
        self.players = Players(engine, config, self.device)
        self.average = MovingAverage(engine, config.ema)
        self.step, self.drawn = 0, 0

    def resume(self) -> None:
        """Go on from the folder's checkpoint: the run then equals one that was never stopped.

        Raises:
            ModelError: there is none, or it is of another version, method, config, size or number of processes.
        """
        state, path = checkpoint.load(self.folder), checkpoint.path_in(self.folder)
        theirs, mine = state["identity"], self._identity()
        for key in {**theirs, **mine}:
            here, there = (identity.get(key) for identity in (mine, theirs))
            if here != there:
                raise ModelError(f"{path} is of a run with {key} {there}, this one has {here}; begin a new run")
        checkpoint.check_fit(self.engine.state_dict(), state["networks"], path)
        self.engine.load_state_dict(state["networks"])
        self.average.engine.load_state_dict(state["average"])
        self.players.load_state_dict(state["optimizers"])
        self.step, self.drawn = state["step"], state["drawn"]
        checkpoint.set_random_state(state["random"][distributed.rank()])

    def save(self) -> None:
        """Write the checkpoint.

        Raises:
            ImgenError: a loss or weight is not a number, or the file cannot be written; the last one is kept.
        """
        self.players.check_finite()
        random = distributed.gather(checkpoint.random_state())
        if distributed.rank() == 0:
            state = {
                "identity": self._identity(),
                "networks": self.engine.state_dict(),
                "average": self.average.engine.state_dict(),
                "optimizers": self.players.state_dict(),
                "step": self.step,
                "drawn": self.drawn,
                "random": random,
            }
            checkpoint.save(self.folder, state)

    def run(self) -> None:
        """Train to the last step; Ctrl-C lets the step end, saves and then goes up.

        Raises:
            ImgenError: a loss is not a number, or memory or disk ran out; the last checkpoint is kept.
            KeyboardInterrupt: Ctrl-C or SIGTERM came.
        """
        first = distributed.rank() == 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (
                closing(Progress(self.config.steps, self.step, quiet=not first)) as progress,
                closing(Records(self.folder, self.step)) if first else nullcontext() as records,
                closing(Loader(self.source, self.drawn, self.config.workers, self.device)) as batches,
                stop_signals(progress.say) as stopped,
            ):
                self._run(batches, records, progress, stopped)
        except OSError as error:  # of the log and the pictures; a checkpoint has words of its own
            raise ImgenError(f"{self.folder}: cannot be written, {error.strerror or error}; make room there") from error

    def _run(self, batches: Loader, records: Records | None, progress: Progress, stopped: Callable[[], bool]) -> None:
        config, since, began = self.config, self.step, time.monotonic()
        while self.step < config.steps:
            self._one_step(batches)
            progress.advance(self.step)
            last = self.step == config.steps
            if last or self.step % config.log_every == 0:
                values = {**self.players.losses(), **self.engine.terms()}
                values["steps_per_second"] = (self.step - since) / (time.monotonic() - began)
                since, began = self.step, time.monotonic()
                progress.record(self.step, values)
                if records is not None:
                    records.write(self.step, values)
                self.players.forget()
            if records is not None and (last or self.step % config.picture_every == 0):
                self._draw(records)
            stop = distributed.any_of(stopped(), self.device)
            if stop or last or self.step % config.save_every == 0:
                self.save()
            if stop:
                raise KeyboardInterrupt

    def _one_step(self, batches: Loader) -> None:
        try:
            self.players.step(batches, self.step)
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error):
                raise ImgenError(
                    f"step {self.step}: out of memory on {self.device}; lower the batch (accumulate makes up for it), "
                    "the size or the width, or take precision bf16"
                ) from error
            raise
        self.average.update(self.step)
        if distributed.world() > 1:  # statistics of shares differ; the first one's count
            distributed.broadcast(list(self.engine.buffers()))
        self.drawn = batches.number
        self.step += 1

    def _draw(self, records: Records) -> None:
        if self.picture is None:
            return
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(self.config.seed)
            image = self.picture(self.average.engine)
        if image is not None:
            records.picture(self.step, image)

    def _identity(self) -> dict[str, Any]:
        """What a checkpoint must agree on with the run that goes on from it."""
        name = type(self.engine).__name__
        return {"engine": name, "processes": distributed.world(), **asdict(self.engine.config)}
