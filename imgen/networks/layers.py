"""The small parts that several networks choose by name, and how a label enters."""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from imgen.errors import UsageError
from imgen.lookup import find
from imgen.networks.instance_norm import InstanceNorm
from imgen.networks.network import Network, Range

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}
NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "layer": lambda channels: nn.GroupNorm(1, channels),  # over channels and places, sample by sample
    "instance": InstanceNorm,
    "none": lambda _: nn.Identity(),
}
OUTPUTS: dict[str, Callable[[], nn.Module]] = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "linear": nn.Identity}


def activation(name: str) -> nn.Module:
    """An activation of ``ACTIVATIONS``."""
    return find(ACTIVATIONS, name, "activation")()


def norm(name: str, channels: int) -> nn.Module:
    """A normalisation of ``NORMS`` for N x C x H x W."""
    return find(NORMS, name, "normalisation")(channels)


def output(name: str) -> nn.Module:
    """An output function of ``OUTPUTS``."""
    return find(OUTPUTS, name, "output")()


class OutputNetwork(Network):
    """A network that ends in the output function which its config names."""

    output: nn.Module

    @property
    def range(self) -> Range:
        """By the output function; images of linear ones are trained on -1..1."""
        return "unit" if self.config.output == "sigmoid" else "signed"

    def forward(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        """Code (and label) to an image or a vector."""
        return self.output(self.logits(code, label))

    @abstractmethod
    def logits(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        """The values before the output function, as a likelihood of binary pixels wants them."""


def precise(x: Tensor) -> Tensor:
    """The values in single precision, if they are in less: losses take differences that bf16 has no digits for."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def with_label(x: Tensor, label: Tensor | None, classes: int) -> Tensor:
    """Append the label to the channels as a one-hot vector, the same at every place.

    The weights of the layer that reads it are the label's embedding.

    Args:
        x: N x C, or N x C x H x W.
        label: N int64, 0 to classes - 1; -1 (unknown) becomes all zeros. Or N x classes: weights of the classes, as
            where one becomes another. Not looked at without classes.
        classes: how many there are; 0 gives ``x`` back.

    Raises:
        UsageError: there are classes and no label.
    """
    if classes == 0:
        return x
    if label is None:
        raise UsageError(f"this network is conditional: give it a label, 0 to {classes - 1}, for each datum")
    hot = label if label.ndim == 2 else label[:, None] == torch.arange(classes, device=label.device)
    hot = hot.to(x.dtype)
    places = x.shape[2:]
    return torch.cat([x, hot.reshape(*hot.shape, *(1 for _ in places)).expand(-1, -1, *places)], 1)


def initialise_dcgan(network: nn.Module) -> None:
    """Radford et al. 2016, arXiv:1511.06434, sec. 4: weights N(0, 0.02); the norms' scales N(1, 0.02)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d | InstanceNorm) and module.weight is not None:
            nn.init.normal_(module.weight, 1.0, 0.02)
