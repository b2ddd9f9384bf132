"""Batches by number, made here or by other processes; their order never depends on who makes them."""

import signal
from itertools import count
from typing import Any, Protocol, Self

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from imgen.errors import ImgenError


class Source(Protocol):
    """Batches by number: a pure function, so a run goes on where it stopped by the number alone."""

    def batch(self, index: int) -> Any:
        """The batch of that number: a NamedTuple of tensors on the CPU."""


class _Numbered(Dataset[Any]):
    """A source as torch's loader wants it; an error of ours comes back whole, not as a worker's traceback."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __getitem__(self, index: int) -> Any:
        try:
            return self.source.batch(index)
        except ImgenError as error:
            return error


class Loader:
    """The batches from a number on, without end, on a device; ``number`` is that of the next one.

    Args:
        source: of the batches.
        number: of the first.
        workers: processes that make them ahead of time; 0 makes each here when it is asked for.
        device: where the batches go.
    """

    def __init__(self, source: Source, number: int, workers: int, device: torch.device) -> None:
        self.number, self.device = number, device
        loader = DataLoader(
            _Numbered(source),
            batch_size=None,
            sampler=count(number),
            num_workers=workers,
            pin_memory=device.type == "cuda",
            worker_init_fn=_ignore_interrupts if workers else None,
            generator=torch.Generator(),  # its own: an engine's random numbers must not depend on it
        )
        self._batches = iter(loader)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        batch = next(self._batches)
        if isinstance(batch, ImgenError):
            raise batch
        self.number += 1
        return type(batch)(*(self._place(tensor) for tensor in batch))

    def _place(self, tensor: Tensor) -> Tensor:
        memory = torch.channels_last if tensor.ndim == 4 else torch.preserve_format
        return tensor.to(self.device, memory_format=memory, non_blocking=True)

    def close(self) -> None:
        """End the workers."""
        del self._batches


def _ignore_interrupts(worker: int) -> None:
    """Ctrl-C is for the trainer, which ends its workers."""
    del worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
