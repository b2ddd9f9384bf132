"""Data parallel training under ``torchrun``: one process a device, gradients averaged player by player.

    torchrun --nproc-per-node 4 --no-python imgen train vae --data DIR --out RUN

Without torchrun there is one process, and none of this does anything.
"""

import atexit
import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributed


def start(device: str) -> str:
    """Join the other processes of torchrun, if there are any; ``cuda`` becomes this process's own GPU."""
    if "LOCAL_RANK" not in os.environ:
        return device
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        atexit.register(distributed.destroy_process_group)  # its threads must not outlive the interpreter
    return device


def rank() -> int:
    """Of this process, from 0; 0 is the one that writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def average(gradients: Sequence[Tensor | None]) -> None:
    """Replace gradients by their mean over the processes, in place and in one message.

    Every process takes the same losses, so the same ones are None everywhere.
    """
    tensors = [gradient for gradient in gradients if gradient is not None]
    if world() == 1 or not tensors:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= world()
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def broadcast(tensors: Sequence[Tensor]) -> None:
    """Give every process the first one's values, in place."""
    for tensor in tensors:
        distributed.broadcast(tensor.detach(), 0)


def any_of(flag: bool, device: torch.device) -> bool:
    """Whether one of the processes says so: they must stop at the same step."""
    if world() == 1:
        return flag
    said = torch.tensor(float(flag), device=device)
    distributed.all_reduce(said)
    return bool(said)


def gather(value: Any) -> list[Any]:
    """Everyone's value, by rank."""
    if world() == 1:
        return [value]
    values: list[Any] = [None] * world()
    distributed.all_gather_object(values, value)
    return values
