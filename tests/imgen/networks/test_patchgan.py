from dataclasses import replace

import pytest
import torch
from torch import nn

from imgen.networks.patchgan import PIX2PIX, PatchGAN


def positive(net: PatchGAN) -> PatchGAN:
    """No path cancels another."""
    for parameter in net.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5).data.div_(parameter[0].numel())
    return net.double()


def seen(net: PatchGAN, side: int) -> tuple[int, int]:
    """Rows and columns that the score in the middle depends on."""
    image = torch.rand(1, 3, side, side).double().requires_grad_()
    logits = positive(net)(image).logits
    middle = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], image)
    support = gradient[0].sum(0) != 0
    return int(support.any(1).sum()), int(support.any(0).sum())


@pytest.mark.parametrize(("depth", "pixels"), [(1, 16), (3, 70), (5, 286)])
def test_the_receptive_fields_of_the_paper(depth: int, pixels: int) -> None:
    net = PatchGAN(replace(PIX2PIX, width=1, widest=1, depth=depth, norm="none"))
    assert seen(net, 2 * pixels) == (pixels, pixels)


def test_the_default_sees_54_pixels() -> None:
    assert seen(PatchGAN(PatchGAN.Config(width=1, widest=1, norm="none")), 140) == (54, 54)


def test_the_sizes_of_the_paper() -> None:
    """C64-C128-C256-C512, 2.77 million parameters for an image and its condition, 30 x 30 scores of 256 x 256."""
    net = PatchGAN(replace(PIX2PIX, channels=6))
    assert [level.out_channels for level in net.levels] == [64, 128, 256, 512]
    assert round(net.parameter_count() / 1e6, 2) == 2.77
    with torch.no_grad():
        scored = net(torch.rand(1, 6, 256, 256))
    assert scored.logits.shape == (1, 1, 30, 30)
    assert [feature.shape[1] for feature in scored.features] == [64, 128, 256, 512]


@pytest.mark.parametrize(("norm", "kinds"), [("instance", 3), ("batch", 3), ("none", 0), ("spectral", 0)])
def test_norms_stand_everywhere_but_next_to_the_pixels(norm: str, kinds: int) -> None:
    net = PatchGAN(replace(PIX2PIX, width=4, norm=norm))
    assert sum(not isinstance(each, nn.Identity) for each in net.norms) == kinds
    assert isinstance(net.norms[0], nn.Identity)
    assert net(torch.rand(2, 3, 32, 32)).logits.shape == (2, 1, 2, 2)


@pytest.mark.parametrize("config", [PatchGAN.Config(width=2), PIX2PIX, replace(PIX2PIX, depth=1)])
def test_an_image_of_the_smallest_size_has_one_score(config: PatchGAN.Config) -> None:
    net = PatchGAN(replace(config, width=2, norm="none"))
    assert net(torch.rand(1, 3, net.smallest, net.smallest)).logits.shape == (1, 1, 1, 1)
    with pytest.raises(RuntimeError, match="size"):
        net(torch.rand(1, 3, net.smallest - 1, net.smallest - 1))


def test_the_names_of_the_default_s_tensors_stay() -> None:
    """Runs that were saved go on."""
    names = PatchGAN(PatchGAN.Config(width=2, depth=1)).state_dict().keys()
    assert {name.split(".")[0] for name in names} == {"levels", "score"}
    assert "levels.1.parametrizations.weight.original" in names
