import pytest
import torch

from imgen.networks.exemplar import exemplar_fill
from imgen.networks.inpainter import Inpainter, KnownAttention, no_more_colourful
from imgen.networks.pull_push import pull_push
from tests.imgen.networks.holes import hole

TINY = Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2)


@pytest.mark.parametrize("size", [(16, 16), (48, 80), (16, 208)])
def test_outside_the_hole_nothing_changes(size: tuple[int, int]) -> None:
    net = Inpainter(TINY).eval()
    torch.nn.init.normal_(net.leave[0].weight)
    image, mask = torch.rand(2, 3, *size), hole(*size).expand(2, 1, *size)
    result = net(image, mask)
    assert torch.equal(result * (1 - mask), image * (1 - mask))
    assert result.shape == image.shape
    assert 0 <= result.min() <= result.max() <= 1


def test_what_lies_inside_the_hole_is_not_seen() -> None:
    net = Inpainter(TINY).eval()
    torch.nn.init.normal_(net.leave[0].weight)
    image, mask = torch.rand(1, 3, 32, 32), hole(32, 32)
    other = torch.where(mask > 0, torch.rand_like(image), image)
    assert torch.allclose(net(image, mask), net(other, mask), atol=1e-6)


def test_before_training_it_is_the_mean_of_both_fills() -> None:
    image, mask = torch.rand(1, 3, 64, 64), hole(64, 64)
    mean = (pull_push(image, mask) + exemplar_fill(image, mask)[0]) / 2
    expected = torch.where(mask > 0, mean, image)
    assert torch.allclose(Inpainter(TINY).eval()(image, mask), expected, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (64, 64)])
def test_a_grey_picture_stays_grey_and_of_a_bluish_one_nothing_turns_red(height: int, width: int) -> None:
    net = Inpainter(TINY).eval()
    torch.nn.init.normal_(net.leave[0].weight)
    grey, mask = torch.rand(1, 1, height, width).expand(1, 3, height, width), hole(height, width)
    both = net(torch.cat([grey, grey * torch.tensor([0.8, 0.8, 1.0])[:, None, None]]), mask.expand(2, -1, -1, -1))
    plain, bluish = both
    assert (plain - plain.mean(0)).abs().max() < 1e-6
    assert plain[:, mask[0, 0] > 0].std() > 0.01
    red, green, blue = bluish
    assert (blue - torch.maximum(red, green)).min() > -1e-6
    assert (blue - red)[mask[0, 0] > 0].max() > 0.01


def test_the_colours_of_a_fill_that_are_known_stay() -> None:
    image = torch.rand(1, 3, 16, 16)
    assert torch.allclose(no_more_colourful(image, image), image, atol=1e-6)
    vivid = torch.tensor([1.0, 0.0, 0.0])[None, :, None, None].expand(1, 3, 2, 2)
    pale = torch.tensor([0.6, 0.4, 0.5])[None, :, None, None].expand(1, 3, 2, 2)
    assert no_more_colourful(vivid, pale)[0, :, 0, 0].tolist() == pytest.approx([1 / 3 + 0.1, 1 / 3 - 0.1, 1 / 3])


def test_attention_reads_known_places() -> None:
    torch.manual_seed(0)
    layer = KnownAttention(8)
    torch.nn.init.eye_(layer.out.weight[:, :, 0, 0])
    x, mask = torch.rand(1, 8, 8, 8), torch.zeros(1, 1, 64, 64)
    mask[..., :32] = 1  # the left half is unknown
    changed = x.clone()
    changed[..., :4] += 1
    known, unknown = x[..., 6:], mask[..., :32]
    assert unknown.all()
    # What a known place reads hardly depends on what stands in the hole.
    difference = (layer(x, mask) - layer(changed, mask))[..., 6:].abs().max()
    assert difference < 0.05 * (layer(x, mask)[..., 6:] - known).abs().max()


def test_it_is_small() -> None:
    assert Inpainter().parameter_count() < 6_000_000
