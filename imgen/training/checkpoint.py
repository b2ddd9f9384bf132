"""Stop and go on exactly: everything that the next step depends on, in one atomic file."""

from pathlib import Path
from typing import Any

import torch

from imgen.errors import ModelError
from imgen.image.atomic import atomic

NAME = "checkpoint.pt"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write ``state`` and the random state of torch; the old checkpoint stays until the new one is whole."""
    state = {**state, "random": torch.get_rng_state(), "random_cuda": torch.cuda.get_rng_state_all()}
    with atomic(folder / NAME) as file:
        torch.save(state, file)


def load(folder: Path) -> dict[str, Any]:
    """Read a checkpoint (tensors and plain values only, never code) and set torch's random state.

    Raises:
        ModelError: there is none, or it is not one of ours.
    """
    path = folder / NAME
    if not path.exists():
        raise ModelError(f"{path} does not exist; leave --resume out to begin a new run")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(f"{path} is not a readable checkpoint: {' '.join(str(error).split())[:150]}") from error
    torch.set_rng_state(state["random"])
    if torch.cuda.is_available() and state["random_cuda"]:
        torch.cuda.set_rng_state_all(state["random_cuda"])
    return state
