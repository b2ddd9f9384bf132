import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.networks import winograd
from imgen.networks.winograd import LEAST, Convolution3x3

SIZES = (2, LEAST, 10, 14)


@pytest.fixture
def layer() -> Convolution3x3:
    torch.manual_seed(0)
    return Convolution3x3(LEAST, 24)


def test_result_and_gradients_are_those_of_the_plain_convolution(layer: Convolution3x3) -> None:
    x = torch.randn(SIZES).to(memory_format=torch.channels_last).requires_grad_()
    fast, plain = layer(x), F.conv2d(x, layer.weight)
    assert fast.is_contiguous(memory_format=torch.channels_last)
    assert not torch.equal(fast, plain)
    torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-5)
    upstream = torch.randn_like(plain)
    for mine, theirs in zip(
        *(torch.autograd.grad(made, [x, layer.weight], upstream) for made in (fast, plain)), strict=True
    ):
        assert (mine - theirs).abs().max() < 1e-4 * theirs.abs().max()


@pytest.mark.parametrize("why", ["evaluation", "few channels", "no tiles", "bf16"])
def test_elsewhere_it_is_the_plain_convolution(
    why: str, layer: Convolution3x3, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(x: Tensor, weight: Tensor) -> Tensor:
        raise AssertionError

    monkeypatch.setattr(winograd, "winograd", never)
    layer = Convolution3x3(8, 8) if why == "few channels" else layer.train(why != "evaluation")
    x = torch.randn(1, layer.in_channels, 10, 11 if why == "no tiles" else 14)
    with torch.autocast("cpu", torch.bfloat16, enabled=why == "bf16"):
        assert torch.equal(layer(x), F.conv2d(x, layer.weight))
