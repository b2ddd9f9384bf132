"""What the training loop knows of a method: its players, and one step as a generator of losses."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

Updates = Iterator[tuple[str, Tensor] | Mapping[str, Tensor]]


@dataclass(frozen=True)
class Player:
    """A group of parameters with one optimiser (Adam)."""

    network: nn.Module
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)  # Radford et al. 2016, arXiv:1511.06434, sec. 4


class Engine(nn.Module):
    """A method: networks given to the constructor, players, and the order of their updates."""

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """Name to player; a player's loss moves its own network only."""

    @abstractmethod
    def step(self, batches: Iterator[Any], t: int) -> Updates:
        """One step as the paper's algorithm box has it.

        ``yield name, loss`` updates that player before the next line runs; ``yield {name: loss, ...}``
        updates several from one graph: all gradients are taken first. Code after a ``yield`` runs after
        the optimiser's step.

        Args:
            batches: an endless iterator of batches, moved to the engine's device.
            t: the number of steps before this one.
        """

    @property
    @abstractmethod
    def product(self) -> nn.Module:
        """The network that training is for: its moving average is what is kept."""

    def terms(self) -> dict[str, float]:
        """The parts of the last losses, for the log."""
        return {}
