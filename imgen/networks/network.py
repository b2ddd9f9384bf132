"""The base of everything that is learnt: a module that knows the plain values it was made from."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

Range = Literal["unit", "signed"]


class Scored(NamedTuple):
    """What a discriminator says: logits (no sigmoid; the loss decides) and the features on the way."""

    logits: Tensor
    features: list[Tensor]


class Network(nn.Module):
    """A module with a frozen ``Config`` of plain values, so that a weights file can rebuild it.

    Subclasses define their own ``Config`` and take one as the only constructor argument.
    """

    @dataclass(frozen=True)
    class Config:
        """Plain values only: int, float, str, bool."""

    config: Any  # of the subclass's Config

    @property
    def range(self) -> Range:
        """Of the images that the network gives: "unit" is 0..1, "signed" is -1..1."""
        return "unit"

    def config_dict(self) -> dict[str, Any]:
        """The config as JSON-ready values."""
        return asdict(self.config)

    def parameter_count(self) -> int:
        """Number of learnt values."""
        return sum(p.numel() for p in self.parameters())

    def __call__(self, *inputs: Tensor | None) -> Any:
        """Typed pass-through of ``nn.Module.__call__``."""
        return super().__call__(*inputs)
