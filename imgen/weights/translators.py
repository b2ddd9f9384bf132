"""Generators of pix2pix, CycleGAN and pix2pixHD as their authors' own code saves them: ``latest_net_G.pth``.

What such a file computes when its authors use it is not all in it. Their pix2pix keeps batch norm by the statistics of
the image, which here is instance norm, and dropout, which here is noise that the network takes. Biases before a norm
change nothing and are left out; running statistics are not used.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from imgen.errors import ModelError
from imgen.networks.network import Network
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.unet import UNet
from imgen.spec import Spec

State = dict[str, Tensor]


def recognise(path: Path, state: State) -> tuple[Spec, Network] | None:
    """The description and the network of a translator, in evaluation mode; None if it is something else.

    A network that takes something else than RGB has an input "labels" in its description, whose palette is unknown.

    Raises:
        ModelError: a translator of a kind that imgen has not, or tensors that do not fit together.
    """
    ordered = {key: state[key] for key in sorted(state, key=_place)}
    kernels = {key: ordered[f"{key}.weight"] for key in _weights(ordered, 4)}
    norms = _weights(ordered, 1)
    first = next(iter(kernels.values()), torch.empty(0))
    try:
        if "model.1" in kernels and first.shape[2:] == (7, 7):
            network: TranslationResNet | UNet = _residual(path, kernels, norms)
        elif "model.model.0" in kernels and first.shape[2:] == (4, 4):
            network = _u_net(kernels, norms)
            for key in list(kernels)[len(kernels) // 2 + 1 :]:  # on the way up theirs have the skip first, ours last
                ordered[f"{key}.weight"] = kernels[key].roll(len(kernels[key]) // 2, 0)
        else:
            return None
        with torch.no_grad():
            _fill(network, ordered, list(kernels), norms)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path}: looks like a translator, but its tensors do not fit together ({reason})") from error
    return _spec(path, network), network.eval().requires_grad_(False)


def _residual(path: Path, kernels: State, norms: list[str]) -> TranslationResNet:
    if norms:
        raise ModelError(f"{path}: a residual generator with batch norm; only those with instance norm are run")
    values = list(kernels.values())
    blocks = sum("conv_block" in key for key in kernels) // 2
    downs, odd = divmod(len(values) - 2 - 2 * blocks, 2)
    if odd:
        raise ValueError(f"{len(values)} convolutions")
    sizes = (values[0].shape[1], values[-1].shape[0], values[0].shape[0])
    return TranslationResNet(TranslationResNet.Config(*sizes, blocks, downs))


def _u_net(kernels: State, norms: list[str]) -> UNet:
    values, depth = list(kernels.values()), len(kernels) // 2
    sizes = values[0].shape[1], values[-1].shape[1], values[0].shape[0], depth
    # With batch norm it is of pix2pix, where dropout stays on in all levels of the greatest width but the innermost.
    dropped = min(3, depth - 5) if norms else 0
    config = UNet.Config(*sizes, dropout=0.5 if dropped > 0 else 0.0, dropped=max(0, dropped), spared=1)
    return UNet(config)


def _fill(network: Network, state: State, kernels: list[str], norms: list[str]) -> None:
    """Copy convolutions and norms in their order, which is that of ours."""
    ours = dict(network.named_parameters())
    for name, key in zip(_weights(ours, 4), kernels, strict=True):
        ours[f"{name}.weight"].copy_(_same(state[f"{key}.weight"], ours[f"{name}.weight"]))
        if f"{name}.bias" in ours:
            bias = state.get(f"{key}.bias", torch.zeros(len(ours[f"{name}.bias"])))
            ours[f"{name}.bias"].copy_(_same(bias, ours[f"{name}.bias"]))
    if not norms:  # theirs have neither scale nor offset
        for name in _weights(ours, 1):
            ours[f"{name}.weight"].fill_(1)
            ours[f"{name}.bias"].fill_(0)
        return
    for name, key in zip(_weights(ours, 1), norms, strict=True):
        for part in ("weight", "bias"):
            ours[f"{name}.{part}"].copy_(_same(state[f"{key}.{part}"], ours[f"{name}.{part}"]))


def _weights(named: Mapping[str, Tensor], axes: int) -> list[str]:
    """The layers whose weight has so many axes: 4 of convolutions, 1 of norms."""
    return [
        key.removesuffix(".weight") for key, value in named.items() if key.endswith(".weight") and value.ndim == axes
    ]


def _same(value: Tensor, wanted: Tensor) -> Tensor:
    if value.shape != wanted.shape:
        raise ValueError(f"{tuple(value.shape)} where {tuple(wanted.shape)} belongs")
    return value


def _spec(path: Path, network: TranslationResNet | UNet) -> Spec:
    shown = "image" if network.config.inputs == 3 else "labels"
    plain = Spec(path.stem, "translate", "unknown", inputs=(shown,), multiple=network.multiple, size=256)
    if isinstance(network, TranslationResNet):
        kind = f"trained by others: residual generator of {network.config.blocks} blocks"
        return replace(plain, receptive_field="normalised", radius=network.radius, recipe=kind)
    plain = replace(plain, recipe=f"trained by others: U-Net of depth {network.config.depth}")
    if not network.config.dropout:
        return plain
    noise = {"channels": network.noise_channels, "stride": network.noise_stride, "dropout": network.config.dropout}
    return replace(plain, inputs=(shown, "noise"), noise=noise)


def _place(key: str) -> tuple[int, ...]:
    """Where a tensor stands in its network: the numbers in its name."""
    return tuple(map(int, re.findall(r"\d+", key)))
