from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.networks.raindrops import PAPER, RaindropRemover

SMALL = RaindropRemover.Config(squares=2, look=6, attention=8, blocks=1, steps=4, width=8)


def network(config: RaindropRemover.Config = SMALL) -> RaindropRemover:
    """Without layers that are zero, as after some training."""
    torch.manual_seed(0)
    net = RaindropRemover(config).eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d) and not layer.weight.any():
            torch.nn.init.normal_(layer.weight, 0, 0.05)
    return net


@pytest.mark.parametrize("squares", [1, 2, 4])
@torch.no_grad()
def test_all_the_shapes(squares: int) -> None:
    net = network(replace(SMALL, squares=squares))
    height, width = 2 * net.multiple, 3 * net.multiple
    image = torch.rand(2, 3, height, width)
    frames, maps, filled = net.unroll(image)
    assert [tuple(frame.shape) for frame in frames] == [
        (2, 3, height // reduction, width // reduction) for reduction in (4, 2, 1)
    ]
    assert [tuple(each.shape) for each in maps] == [(2, 1, height, width)] * 4
    assert filled is not None
    assert filled.shape == (2, 1, height, width)
    made, attention = net(image)
    assert torch.equal(made, frames[-1])
    assert torch.equal(attention, maps[-1].clamp(0, 1))


@torch.no_grad()
def test_before_training_it_changes_nothing() -> None:
    image = torch.rand(1, 3, 32, 64)
    frames = RaindropRemover(replace(SMALL, plain=0)).unroll(image).frames
    assert torch.equal(frames[-1], image)
    assert torch.allclose(frames[0], image.reshape(1, 3, 8, 4, 16, 4).mean((3, 5)), atol=1e-6)


@torch.no_grad()
def test_every_step_looks_again_with_the_same_weights() -> None:
    image = torch.rand(1, 3, 32, 32)
    four, two = network(), network(replace(SMALL, steps=2))
    assert four.parameter_count() == two.parameter_count()
    maps = four.unroll(image).maps
    assert all(torch.equal(a, b) for a, b in zip(two.unroll(image).maps, maps, strict=False))
    assert all((a - b).abs().max() > 1e-4 for a, b in pairwise(maps))


@torch.no_grad()
def test_a_mirrored_image_has_the_mirrored_maps_but_while_it_learns() -> None:
    """They are the mean of what is found in both; to the bit, for a sum has no order."""
    image = torch.rand(2, 3, 32, 64)
    mirrored = image.flip(3)
    alone = replace(SMALL, halved=0)
    net, once = network(alone), network(replace(alone, mirrored=False))
    for a, b, one, other in zip(
        net.find(image), net.find(mirrored), once.find(image), once.find(mirrored), strict=True
    ):
        assert torch.equal(a, b.flip(3))
        assert torch.equal(a, (one + other.flip(3)) / 2)
        assert (one - other.flip(3)).abs().max() > 1e-4
    assert all(torch.equal(a, b) for a, b in zip(net.train().find(image), once.find(image), strict=True))


@torch.no_grad()
def test_maps_rise_to_those_of_the_image_at_half_the_size_but_while_it_learns() -> None:
    image = torch.rand(2, 3, 64, 32)
    net, once = network(), network(replace(SMALL, halved=0))
    smaller = F.interpolate(image, scale_factor=0.5, mode="area")
    raised = 0
    for found, fine, coarse in zip(net.find(image), once.find(image), once.find(smaller), strict=True):
        far = F.interpolate(coarse, scale_factor=2.0, mode="bilinear")
        assert torch.allclose(found, torch.maximum(fine, 0.4 * fine + 0.6 * far), atol=1e-6)
        raised += int((found > fine + 1e-4).sum())
    assert raised
    assert all(torch.equal(a, b) for a, b in zip(net.train().find(image), once.train().find(image), strict=True))


@torch.no_grad()
def test_the_painter_may_be_shown_where_drops_are() -> None:
    """Of the first images; what is found stays what it was, and of the others what is painted."""
    net, image = network(), torch.rand(3, 3, 32, 64)
    mask = (torch.rand(2, 1, 32, 64) > 0.5).float()
    free, shown = net.unroll(image), net.unroll(image, mask)
    assert all(torch.equal(a, b) for a, b in zip(free.maps, shown.maps, strict=True))
    assert torch.allclose(free.frames[-1][2:], shown.frames[-1][2:], atol=1e-6)
    assert (free.frames[-1] - shown.frames[-1])[:2].abs().amax((1, 2, 3)).min() > 1e-4
    found = net.unroll(image, free.maps[-1])
    assert torch.equal(found.frames[-1], free.frames[-1])


def test_what_is_painted_follows_the_attention() -> None:
    net = network()
    made, _ = net(torch.rand(1, 3, 32, 32))
    gradients = torch.autograd.grad(made.square().sum(), list(net.attend.parameters()))
    assert all(gradient.any() for gradient in gradients)


@torch.no_grad()
def test_the_second_pair_of_gain_and_offset_counts_as_far_as_the_map_says_drop() -> None:
    net = RaindropRemover(replace(SMALL, fill=False)).eval()
    gain, offset = net.paint.frames[2].bias.view(2, 2, -1)[1]  # type: ignore[union-attr, operator]
    gain.fill_(-1), offset.fill_(0.25)
    image = torch.rand(1, 3, 32, 64)
    made, attention = net(image)
    assert attention.std() > 0.01
    assert torch.allclose(made, image + attention * (0.25 - image), atol=1e-6)


def square() -> tuple[Tensor, Tensor]:
    """An image of one grey with a square of another, and where it is."""
    image = torch.full((1, 3, 64, 96), 0.25)
    image[..., 16:40, 32:64] = 0.75
    return image, (image[:, :1] == 0.75).float()


@torch.no_grad()
def test_drops_may_become_what_is_around_them() -> None:
    net = RaindropRemover(replace(SMALL, plain=0)).eval()
    image, where = square()
    assert torch.equal(net.unroll(image, where).frames[-1], image)
    net.paint.frames[2].bias[-4:] = 1  # type: ignore[index, union-attr]
    gone = net.unroll(image, where)
    assert torch.allclose(gone.frames[-1], torch.full_like(image, 0.25), atol=1e-3)
    assert torch.equal(gone.filled, where)  # type: ignore[arg-type]
    assert torch.equal(net.unroll(image, 0 * where).frames[-1], image)


@torch.no_grad()
def test_amid_plain_ground_drops_become_what_is_around_them_whatever_is_painted() -> None:
    net = RaindropRemover(SMALL).eval()
    net.paint.frames[2].bias[: -3 * 4] = 0.1  # type: ignore[index, union-attr]
    image, where = square()
    before, gone = RaindropRemover(replace(SMALL, plain=0)).eval(), net.unroll(image, where)
    before.load_state_dict(net.state_dict())
    inside = where.bool().expand_as(image)
    assert (before.unroll(image, where).frames[-1][inside] - 0.25).abs().min() > 0.1
    assert torch.allclose(gone.frames[-1][inside], torch.tensor(0.25), atol=1e-3)
    assert torch.equal(gone.filled, 0 * where)  # type: ignore[arg-type]


@torch.no_grad()
def test_the_plainer_the_ground_the_more_of_it_fills_drops() -> None:
    """On a chess board of that many grey levels more and less: exp(-1) of the fill where ``plain`` and they are one."""
    net = RaindropRemover(SMALL).eval()
    image, where = square()
    taken = []
    for levels in (5, 10, 20):
        chess = torch.tensor([1.0, -1.0]).repeat_interleave(2).repeat(24)
        ground = 0.25 + levels / 255 * chess * chess[:64, None]
        dirty = torch.where(where > 0, image, ground.expand_as(image))
        made = net.unroll(dirty, where).frames[-1][..., 20:36, 40:56]
        taken.append(((0.75 - made) / 0.5).mean().item())
    wanted = torch.exp(-(torch.tensor([0.5, 1.0, 2.0]) ** 2))
    assert torch.allclose(torch.tensor(taken), wanted, atol=0.01)


@torch.no_grad()
def test_without_steps_there_is_no_attention_and_everything_may_be_changed() -> None:
    net = network(replace(SMALL, steps=0))
    assert net.unroll(torch.rand(1, 3, 32, 32)).maps == []
    assert not hasattr(net, "attend")
    _, attention = net(torch.rand(1, 3, 32, 64))
    assert attention.shape == (1, 1, 32, 64)
    assert (attention == 1).all()


@pytest.mark.parametrize(("squares", "look", "residual"), [(1, 0, False), (1, 4, True), (4, 0, True), (4, 4, False)])
def test_a_pixel_depends_on_the_radius_and_hardly_less(
    squares: int, look: int, residual: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With small positive weights no path cancels another, no unit is dead and no gate shut."""
    monkeypatch.setattr(F, "relu", lambda x: x)  # what is seen at half the size, which looks farther, always counts
    net = network(replace(SMALL, squares=squares, look=look, residual=residual, fill=False)).double()
    for parameter in net.parameters():
        parameter.data.uniform_(0.5, 1.5).div_(parameter[0].numel() if parameter.ndim > 1 else 10)
    centre = (net.radius // net.multiple + 2) * net.multiple
    image = torch.rand(1, 3, 2 * centre, net.multiple, dtype=torch.float64, requires_grad=True)
    made, attention = net(image)
    reach = []
    for row in (centre, centre + net.multiple - 1):  # the last to see what is above, and what is below
        (gradient,) = torch.autograd.grad((made + attention)[:, :, row].sum(), image, retain_graph=True)
        seen = gradient.abs().sum((0, 1, 3)).nonzero().flatten() - row
        reach.append(max(-int(seen.min()), int(seen.max())))
    assert 0.9 * net.radius < max(reach) <= net.radius


@torch.no_grad()
def test_far_from_the_border_only_the_surroundings_count() -> None:
    """What tiles rely on: an image without its first squares gives the same, but for what is near the border."""
    net = network(replace(SMALL, squares=1, steps=1)).double()
    side, cut = net.radius, net.multiple
    image = torch.rand(1, 3, (2 * side // cut + 4) * cut, cut, dtype=torch.float64)

    def inside(made: Tensor, first: int) -> Tensor:
        return made[:, :, first : image.shape[2] - cut - side + first - side]

    for whole, part in zip(net(image), net(image[:, :, cut:]), strict=True):
        assert torch.allclose(inside(whole, side + cut), inside(part, side), rtol=0, atol=1e-12)


def test_the_papers_sizes() -> None:
    """Section 4.1: five residual blocks of 32 channels and a convolutional LSTM; 16 layers in the auto-encoder."""
    net = RaindropRemover(PAPER)
    assert (net.attend.steps, len(net.attend.blocks), net.attend.enter[0].in_channels) == (4, 5, 4)
    assert net.attend.gates.weight.shape == (4 * 32, 2 * 32, 3, 3)
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    layers = [m for name, m in net.paint.named_modules() if isinstance(m, kinds) and not name.startswith("frames.")]
    widths = [64, 128, 128, *[256] * 9, 128, 128, 64, 32]
    assert [layer.out_channels for layer in layers] == widths
    assert [layer.dilation[0] for layer in layers if layer.dilation[0] > 1] == [2, 4, 8, 16]
    assert layers[0].kernel_size == (5, 5)
