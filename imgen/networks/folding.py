"""Batch norms as part of the convolutions before them: the same function in evaluation, with fewer numbers."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


@torch.no_grad()
def fold(trained: nn.Module, bare: nn.Module) -> None:
    """Give a network without batch norms the weights that make it what another, with them, is in evaluation.

    Args:
        trained: whose batch norms come right after the convolution that they belong to, as they are listed.
        bare: the same network made without any, whose convolutions have a bias there.
    """
    listed = [m for m in trained.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d)]
    layers = [m for m in bare.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    after = [*listed[1:], None]
    convolutions = [(m, follows) for m, follows in zip(listed, after, strict=True) if not isinstance(m, nn.BatchNorm2d)]
    for (layer, norm), into in zip(convolutions, layers, strict=True):
        weight, bias = layer.weight, layer.bias
        if isinstance(norm, nn.BatchNorm2d):
            turned = isinstance(layer, nn.ConvTranspose2d)
            mean, variance, scale, shift = norm.running_mean, norm.running_var, norm.weight, norm.bias
            weight, bias = fuse_conv_bn_weights(weight, bias, mean, variance, norm.eps, scale, shift, turned)  # type: ignore[arg-type]
        into.weight.copy_(weight)
        if bias is not None and into.bias is not None:
            into.bias.copy_(bias)
