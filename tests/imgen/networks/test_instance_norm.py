import pytest
import torch
from torch import Tensor, nn

from imgen.networks.instance_norm import InstanceNorm, Statistics


def features(n: int = 3) -> Tensor:
    """Far from mean 0 and variance 1, and not the same in every image."""
    generator = torch.Generator().manual_seed(0)
    scale, offset = torch.rand(2, n, 5, 1, 1, generator=generator)
    return 3 * scale * torch.randn(n, 5, 6, 7, generator=generator) + 4 * offset


def norm(affine: bool) -> tuple[InstanceNorm, nn.InstanceNorm2d]:
    """Ours and torch's, with the same scales and offsets."""
    torch.manual_seed(0)
    mine, theirs = InstanceNorm(5, affine=affine), nn.InstanceNorm2d(5, affine=affine)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter)
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("n", [1, 3])
def test_it_equals_that_of_torch(affine: bool, training: bool, n: int) -> None:
    mine, theirs = norm(affine)
    x = features(n).requires_grad_()
    made, wanted = mine.train(training)(x), theirs.train(training)(x)
    torch.testing.assert_close(made, wanted)
    weight = torch.randn_like(x)
    gradients = [torch.autograd.grad((each * weight).sum(), x)[0] for each in (made, wanted)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("affine", [False, True])
def test_without_given_statistics_images_are_normalised_together(affine: bool) -> None:
    """As one image of all their places; of a single one that is what it does anyway."""
    mine, _ = norm(affine)
    x, source = features(), Statistics(None)
    side_by_side = torch.cat(list(x.split(1)), 3)
    torch.testing.assert_close(torch.cat(list(mine(x, source).split(1)), 3), mine(side_by_side))
    torch.testing.assert_close(source.measured[0], x.mean((0, 2, 3)))
    torch.testing.assert_close(source.measured[1], x.var((0, 2, 3), correction=0))


@pytest.mark.parametrize("affine", [False, True])
def test_by_its_own_statistics_an_image_stays_what_it_is(affine: bool) -> None:
    mine, _ = norm(affine)
    x = features(1)
    own = torch.stack([x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)])
    torch.testing.assert_close(mine(x, Statistics(own)), mine(x))


def test_statistics_are_handed_out_in_the_order_of_use() -> None:
    first, second = InstanceNorm(5), InstanceNorm(2)
    given = torch.stack([torch.arange(7.0), torch.arange(1.0, 8.0)])
    source, x = Statistics(given), features()
    made = first(x, source), second(x[:, :2], source)
    torch.testing.assert_close(made[0][:, 3], (x[:, 3] - 3) / (4 + 1e-5) ** 0.5)
    torch.testing.assert_close(made[1][:, 1], (x[:, 1] - 6) / (7 + 1e-5) ** 0.5)
    assert source.measured.shape == (2, 7)
    torch.testing.assert_close(source.measured[0, 5:], x[:, :2].mean((0, 2, 3)))


def test_in_training_images_with_channels_last_stay_laid_out_so() -> None:
    """Else the next convolution would turn them around again."""
    x = features().to(memory_format=torch.channels_last)
    assert InstanceNorm(5)(x).is_contiguous(memory_format=torch.channels_last)
