"""What a method is: its players, one step as a generator of losses, and what can be done with it afterwards."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.networks.scale import Shape

Updates = Iterator[tuple[str, Tensor] | Mapping[str, Tensor]]


@dataclass(frozen=True)
class Player:
    """A group of parameters with one optimiser."""

    network: nn.Module
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)  # of Adam; Radford et al. 2016, arXiv:1511.06434, sec. 4
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"


class Engine(nn.Module):
    """A method: networks and a config given to the constructor, players, and the order of their updates.

    Whatever the next step depends on lives in parameters, buffers or ``get_extra_state``, so that a
    checkpoint holds it; every random number comes from torch's global generator, for the same reason.
    What a step needs only for itself stays in its local variables: several may be under way at once.
    """

    @dataclass(frozen=True)
    class Config:
        """Plain values with the paper's defaults; generators call the size of their code ``code``."""

    config: Any  # of the subclass's Config

    def __init__(self) -> None:
        super().__init__()
        self._terms: dict[str, Tensor] = {}

    @classmethod
    def build(cls, shape: Shape, config: Any) -> Self:
        """The method with its default networks for data of this shape.

        Raises:
            UsageError: the method cannot treat such data.
        """
        del shape, config
        raise UsageError(f"{cls.__name__} has no default networks; give it some, as its recipe does")

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
    def product(self) -> Network:
        """The network that training is for, which is exported and shipped: code (and label) to image."""

    def terms(self) -> dict[str, float]:
        """The parts of the last losses, for the log."""
        return {name: float(term) for name, term in self._terms.items()}

    def check(self, steps: int) -> None:
        """Look at the length of a run before it begins.

        Raises:
            UsageError: the method can make nothing of so few steps.
        """
        del steps

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def prior(self, n: int) -> Tensor:
        """Codes to generate from, N x code: standard normal unless the method says otherwise."""
        if not hasattr(self.config, "code"):
            raise UsageError(f"{type(self).__name__} has no prior to sample from; reconstruct with it instead")
        return torch.randn(n, self.config.code, device=self.device)

    @torch.no_grad()
    def decode(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        """Codes, N x code, and labels, N, to images in 0..1; vectors come as they are."""
        return to_unit(self.product(code, label), self.product)

    @torch.no_grad()
    def sample(self, n: int, label: Tensor | None = None) -> Tensor:
        """``n`` new images, N x C x H x W in 0..1, or vectors, N x D as they are; of these labels, if given."""
        return self.decode(self.prior(n), label)

    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1, and their labels, N, where the method is conditional, to codes, N x code.

        Raises:
            UsageError: the method has no encoder.
        """
        del image, label
        raise UsageError(f"{type(self).__name__} has no encoder; train a method that has one, such as vae or ali")

    @torch.no_grad()
    def reconstruct(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Images in -1..1 (vectors as they are), through the code and back, in 0..1 (vectors as they are)."""
        return self.decode(self.encode(image, label), label)

    @torch.no_grad()
    def interpolate(self, a: Tensor, b: Tensor, steps: int, label: Tensor | None = None) -> Tensor:
        """From images ``a`` to images ``b``, N x C x H x W in -1..1, on the straight line between their codes.

        Returns:
            N x steps x C x H x W in 0..1; the first and the last are the reconstructions of a and b.
        """
        start, end = self.encode(a, label), self.encode(b, label)
        weights = torch.linspace(0, 1, steps, device=start.device)
        return torch.stack([self.decode(torch.lerp(start, end, weight), label) for weight in weights], 1)


def to_unit(image: Tensor, network: Network) -> Tensor:
    """Images that ``network`` gave, to 0..1, clipped; vectors as they are."""
    if image.ndim == 2:
        return image
    return ((image + 1) / 2 if network.range == "signed" else image).clamp(0, 1)


def to_signed(image: Tensor) -> Tensor:
    """Images in 0..1 to -1..1, as discriminators learn best."""
    return 2 * image - 1
