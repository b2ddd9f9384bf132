import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.networks.pix2pixhd import LocalEnhancer, MultiscaleDiscriminator, halved, instance_mean
from tests.imgen.networks.reach import reach


def enhancer(blocks: int = 1, coarse_blocks: int = 1, coarse_downs: int = 1) -> LocalEnhancer:
    torch.manual_seed(0)
    return LocalEnhancer(LocalEnhancer.Config(3, 3, 4, blocks, coarse_blocks, coarse_downs)).eval()


def test_the_enhancer_gives_images_of_the_full_size() -> None:
    net = enhancer(coarse_downs=2)
    assert net.multiple == 8
    made = net(torch.rand(2, 3, 16, 24))
    assert made.shape == (2, 3, 16, 24)
    assert 0 <= made.min() <= made.max() <= 1


def test_without_its_own_entrance_the_enhancer_goes_on_from_the_coarse_features() -> None:
    net, image = enhancer(), torch.rand(1, 3, 16, 16)
    net.enter.forward = lambda x, statistics=None: torch.zeros(1, 8, 8, 8)  # type: ignore[method-assign]
    coarse = net.coarse.features(halved(image), None)
    wanted = (torch.tanh(net.leave(net.body(coarse))) + 1) / 2
    torch.testing.assert_close(net(image), wanted)


def test_the_coarse_generator_learns_unless_it_is_held() -> None:
    net, image = enhancer(), torch.rand(1, 3, 16, 16)
    for held in (False, True):
        net.held = held
        loss = net(image)[0, 0].square().sum()
        gradients = torch.autograd.grad(loss, list(net.coarse.body.parameters()), allow_unused=True)
        assert all(gradient is None for gradient in gradients) == held
        (own,) = torch.autograd.grad(net(image)[0, 0].square().sum(), [net.enter.layers[1].weight])
        assert own.any()


@pytest.mark.parametrize(
    ("blocks", "coarse_blocks", "coarse_downs", "radius"), [(1, 0, 1, 19), (2, 1, 1, 31), (1, 1, 2, 43)]
)
def test_with_frozen_statistics_the_enhancer_looks_as_far_as_its_radius(
    blocks: int, coarse_blocks: int, coarse_downs: int, radius: int
) -> None:
    net = enhancer(blocks, coarse_blocks, coarse_downs)
    assert net.radius == radius
    long = (2 * radius // net.multiple + 4) * net.multiple
    assert reach(net, torch.rand(1, 3, long, 4 * net.multiple), net.multiple) == radius


@torch.no_grad()
def test_frozen_at_its_own_statistics_the_enhancer_changes_nothing() -> None:
    net, image = enhancer(), torch.rand(1, 3, 16, 24)
    own = net.frozen(image)[1]
    made, _ = net.frozen(image, own)
    torch.testing.assert_close(made, net(image), atol=1e-5, rtol=0)


def test_judges_see_the_image_at_each_scale() -> None:
    torch.manual_seed(0)
    net = MultiscaleDiscriminator(MultiscaleDiscriminator.Config(width=4, scales=3))
    image = torch.rand(2, 3, 128, 96)
    assert min(image.shape[2:]) == net.smallest
    scored = net(image)
    assert [tuple(each.features[0].shape[2:]) for each in scored] == [(64, 48), (32, 24), (16, 12)]
    assert scored[2].logits.shape == (2, 1, 2, 1)
    torch.testing.assert_close(scored[1].logits, net.judges[1](halved(image)).logits)
    assert halved(torch.ones(1, 1, 6, 6)).eq(1).all()


def colours() -> tuple[Tensor, Tensor]:
    """Features, and two images of two instances each, whose numbers are the same and whose places are not."""
    instances = torch.zeros(2, 1, 4, 6, dtype=torch.int64)
    instances[0, :, :, 2:] = 7
    instances[1, :, 3:] = 7
    return torch.rand(2, 3, 4, 6, generator=torch.Generator().manual_seed(0)), instances


def test_the_mean_over_an_instance_is_the_same_in_all_of_it_and_keeps_the_sum() -> None:
    features, instances = colours()
    made = instance_mean(features, instances)
    torch.testing.assert_close(made[0, :, :, 2:], features[0, :, :, 2:].mean((1, 2))[:, None, None].expand(3, 4, 4))
    torch.testing.assert_close(made[1, :, :3], features[1, :, :3].mean((1, 2))[:, None, None].expand(3, 3, 6))
    torch.testing.assert_close(made.sum((2, 3)), features.sum((2, 3)))


def test_every_place_of_an_instance_has_its_part_in_the_gradient() -> None:
    features, instances = colours()
    features.requires_grad_()
    (gradient,) = torch.autograd.grad(instance_mean(features, instances)[0, 0, 0, 5], features)
    assert torch.equal(gradient[0, 0], F.pad(torch.full((4, 4), 1 / 16), (2, 0)))
    assert not gradient[1].any()
