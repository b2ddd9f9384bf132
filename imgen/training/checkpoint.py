"""Stop and go on exactly: everything that the next step depends on, in one atomic file."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from imgen.errors import ModelError
from imgen.image.atomic import atomic

FORMAT = 2
"""Of the file; another number is refused."""


def path_in(folder: Path) -> Path:
    """Where a run's checkpoint is."""
    return folder / "checkpoints" / "last.pt"


def save(folder: Path, state: Mapping[str, Any]) -> None:
    """Write ``state``; the old checkpoint stays until the new one is whole.

    Raises:
        ImageError: the disk is full, or the folder may not be written.
    """
    path = path_in(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()  # torch's own writer turns a full disk into an assertion about file positions
    torch.save({"format": FORMAT, **state}, buffer)
    with atomic(path) as file:
        file.write(buffer.getbuffer())


def load(folder: Path) -> dict[str, Any]:
    """Read a checkpoint (tensors and plain values only, never code), to the CPU.

    Raises:
        ModelError: there is none, it is not one of ours, or of another version.
    """
    path = path_in(folder)
    if not path.exists():
        raise ModelError(f"{path} does not exist; leave --resume out to begin a new run")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        version = state["format"]
    except Exception as error:
        raise ModelError(f"{path} is not a readable checkpoint: {' '.join(str(error).split())[:150]}") from error
    if version != FORMAT:
        raise ModelError(f"{path} has format {version}, this imgen goes on with {FORMAT}; begin a new run")
    return state


def random_state() -> dict[str, Any]:
    """Of torch's global generators, on the CPU and on every GPU."""
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}


def set_random_state(state: Mapping[str, Any]) -> None:
    """As ``random_state`` gave it; a run may go on without its GPUs, not to the bit then."""
    torch.set_rng_state(state["cpu"])
    if len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def check_fit(mine: Mapping[str, Any], theirs: Mapping[str, Any], where: Path) -> None:
    """Refuse the state of an engine whose tensors have other names or shapes.

    Raises:
        ModelError: naming the first that differs.
    """
    for name in [*mine, *theirs]:
        here, there = (_shape(state, name) for state in (mine, theirs))
        if here != there:
            raise ModelError(f"{where} is of networks of other sizes: {name} is {there} there and {here} here")


def _shape(state: Mapping[str, Any], name: str) -> str:
    if name not in state:
        return "missing"
    value = state[name]
    return " x ".join(map(str, value.shape)) or "a number" if isinstance(value, torch.Tensor) else "no tensor"
