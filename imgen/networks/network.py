"""The base of everything that is learnt: a module that knows the plain values it was made from."""

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn


class Network(nn.Module):
    """A module with a frozen ``Config`` of plain values, so that a weights file can rebuild it.

    Subclasses define their own ``Config`` and take one as the only constructor argument.
    """

    @dataclass(frozen=True)
    class Config:
        """Plain values only: int, float, str, bool."""

    config: Any  # of the subclass's Config

    def config_dict(self) -> dict[str, Any]:
        """The config as JSON-ready values."""
        return asdict(self.config)

    def parameter_count(self) -> int:
        """Number of learnt values."""
        return sum(p.numel() for p in self.parameters())

    def __call__(self, *inputs: Tensor) -> Any:
        """Typed pass-through of ``nn.Module.__call__``."""
        return super().__call__(*inputs)
