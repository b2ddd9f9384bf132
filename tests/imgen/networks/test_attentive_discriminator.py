import pytest
import torch

from imgen.networks.attentive_discriminator import AttentiveDiscriminator


@pytest.mark.parametrize("squares", [1, 4])
@pytest.mark.parametrize("size", [(8, 8), (64, 36), (100, 200)])
def test_images_of_any_size_give_one_logit_and_a_map_of_theirs(squares: int, size: tuple[int, int]) -> None:
    logits, found = AttentiveDiscriminator(AttentiveDiscriminator.Config(squares, 16))(torch.rand(2, 3, *size))
    assert logits.shape == (2, 1)
    assert found.shape == (2, 1, *size)


def test_the_sizes_of_the_authors() -> None:
    net = AttentiveDiscriminator()
    layers = [m for part in (net.find, net.judge) for m in part.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [layer.out_channels for layer in layers] == [8, 16, 64, 128, 128, 128, 64, 64, 32]
    assert [layer.stride[0] for layer in layers] == [1] * 6 + [4] * 3
    assert {layer.kernel_size for layer in (*layers, net.map)} == {(5, 5)}
    assert [m.out_features for m in net.judge if isinstance(m, torch.nn.Linear)] == [1024, 1]


def test_what_lies_where_the_map_is_zero_is_not_judged() -> None:
    torch.manual_seed(0)
    net = AttentiveDiscriminator(AttentiveDiscriminator.Config(width=16))
    assert net.map.bias is not None
    torch.nn.init.zeros_(net.map.weight)
    for value, seen in ((0.0, False), (1.0, True)):
        torch.nn.init.constant_(net.map.bias, value)
        a, b = net(torch.rand(1, 3, 32, 32)).logits, net(torch.rand(1, 3, 32, 32)).logits
        assert (a - b).abs().item() > 1e-4 if seen else torch.equal(a, b)
