"""Fully connected networks: encoders and decoders of vectors, mappings of codes, discriminators of both."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from imgen.lookup import find
from imgen.networks.layers import OutputNetwork, activation, output, with_label
from imgen.networks.network import Network, Scored

NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm1d, "none": lambda _: nn.Identity()}


class Hidden(nn.Module):
    """The hidden layers: linear, batch norm where asked for, activation, dropout; all outputs are kept."""

    def __init__(  # noqa: PLR0917 (the fields of the configs that share it)
        self, inputs: int, width: int, depth: int, activation_name: str, norm_name: str, dropout: float
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for before, after in pairwise([inputs] + [width] * depth):
            parts = [
                nn.Linear(before, after),
                find(NORMS, norm_name, "normalisation")(after),
                activation(activation_name),
            ]
            if dropout:
                parts.append(nn.Dropout(dropout))
            self.layers.append(nn.Sequential(*parts))

    def forward(self, x: Tensor) -> list[Tensor]:
        """N x inputs to one N x width a layer."""
        features: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class MLP(OutputNetwork):
    """Vector, N x inputs (and label, N), to N x outputs."""

    @dataclass(frozen=True)
    class Config:
        """Sizes and names: activation relu, leaky or tanh; norm none or batch; output linear, tanh or sigmoid."""

        inputs: int
        outputs: int
        width: int = 512
        depth: int = 3  # hidden layers, 1 at least
        activation: str = "relu"
        norm: str = "none"
        classes: int = 0
        dropout: float = 0.0
        output: str = "linear"

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.hidden = Hidden(
            config.inputs + config.classes, config.width, config.depth, config.activation, config.norm, config.dropout
        )
        self.last = nn.Linear(config.width, config.outputs)
        self.output = output(config.output)

    def logits(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        """The result before the output function."""
        return self.last(self.hidden(with_label(code, label, self.config.classes))[-1])


class MLPDiscriminator(Network):
    """Vector, N x inputs (and label, N), to N x outputs logits and the hidden layers as features."""

    @dataclass(frozen=True)
    class Config:
        """As of the MLP."""

        inputs: int
        outputs: int = 1
        width: int = 512
        depth: int = 3
        activation: str = "leaky"
        norm: str = "none"
        classes: int = 0
        dropout: float = 0.0

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.hidden = Hidden(
            config.inputs + config.classes, config.width, config.depth, config.activation, config.norm, config.dropout
        )
        self.score = nn.Linear(config.width, config.outputs)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Scored:
        """Vector to logits and features."""
        features = self.hidden(with_label(x, label, self.config.classes))
        return Scored(self.score(features[-1]), features)
