from itertools import repeat

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from imgen.engines.pix2pixhd import Pix2PixHD, Pix2PixHDConfig, Scenes, matching_loss
from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.networks.pix2pixhd import LocalEnhancer, MultiscaleDiscriminator
from imgen.networks.translation_resnet import TranslationResNet
from imgen.training.config import TrainConfig
from imgen.training.players import Players


class Colours(Network):
    """An encoder that says what colour a place has."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, image: Tensor) -> Tensor:
        return self.scale * image


def judges(channels: int = 6) -> MultiscaleDiscriminator:
    torch.manual_seed(0)
    return MultiscaleDiscriminator(MultiscaleDiscriminator.Config(channels, 2, 1, 2))


def resnet(inputs: int) -> TranslationResNet:
    torch.manual_seed(0)
    return TranslationResNet(TranslationResNet.Config(inputs, 3, 4, 1, 1))


def levels(image: Tensor) -> list[Tensor]:
    """Stands in for a pretrained extractor."""
    return [image, *(F.avg_pool2d(image, 2**i) for i in range(1, 5))]


def scenes(seed: int = 0) -> Scenes:
    """Two classes; the second one is two instances."""
    labels = torch.zeros(1, 2, 16, 16)
    labels[:, 0, :8], labels[:, 1, 8:] = 1, 1
    instances = labels[:, 1:].long()
    instances[..., 8:] *= 2
    boundaries = torch.zeros(1, 1, 16, 16)
    boundaries[..., 8:, 7:9] = 1
    photo = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return Scenes(labels, boundaries, instances, photo)


def engine(encoder: Network | None = None, **changes: float) -> Pix2PixHD:
    config = Pix2PixHDConfig(**{"perceptual": 0.0, **changes})  # type: ignore[arg-type]
    return Pix2PixHD(resnet(6 if encoder else 3), judges(), encoder, levels, config)


def test_features_of_equal_images_match_and_the_real_ones_are_constants() -> None:
    judge, image = judges(3), torch.rand(1, 3, 32, 32)
    assert matching_loss(judge(image), judge(image)).item() == 0
    other = torch.rand(1, 3, 32, 32, requires_grad=True)
    image.requires_grad_()
    gradients = torch.autograd.grad(matching_loss(judge(other), judge(image)), (other, image), allow_unused=True)
    assert gradients[0].any()
    assert gradients[1] is None


def test_matching_sums_over_levels_and_is_the_mean_of_the_scales() -> None:
    """Equation 4."""
    a, b = (judges(3)(torch.rand(1, 3, 32, 32)) for _ in range(2))
    wanted = sum(
        (x - y).abs().mean() for one, two in zip(a, b, strict=True) for x, y in zip(one[1], two[1], strict=True)
    )
    torch.testing.assert_close(matching_loss(a, b), torch.as_tensor(wanted) / 2)


def test_the_perceptual_loss_weighs_coarse_levels_most() -> None:
    hd = engine(perceptual=1.0)
    black = torch.zeros(1, 3, 16, 16)
    assert hd.perceptual_loss(black, black).item() == 0
    assert hd.perceptual_loss(black, black + 1).item() == pytest.approx(1 + 1 / 4 + 1 / 8 + 1 / 16 + 1 / 32)
    fine = black.clone()
    fine[..., ::2] = 1  # grey to all but the finest level
    assert hd.perceptual_loss(fine, black + 0.5).item() == pytest.approx(0.5 / 32)


def test_both_players_learn_from_one_graph() -> None:
    hd = engine(perceptual=1.0)
    (update,) = hd.step(repeat(scenes()), 0)
    assert isinstance(update, dict)
    assert update.keys() == {"generator", "discriminator"}
    terms = hd.terms()
    assert terms.keys() == {"adversarial", "matching", "perceptual"}
    assert update["generator"].item() == pytest.approx(sum(terms.values()), rel=1e-5)
    assert set(engine(matching=0.0).terms()) == set()
    with pytest.raises(UsageError, match="wants an extractor"):
        Pix2PixHD(resnet(3), judges(), None, None, Pix2PixHDConfig())


def test_the_generator_is_told_where_instances_end_and_what_they_look_like() -> None:
    hd, given = engine(Colours()), scenes()
    condition = hd.condition(given)
    assert torch.equal(condition[:, :2], given.labels)
    assert torch.equal(condition[:, 2:3], given.boundaries)
    left = condition[0, 3:, 8:, :8]
    torch.testing.assert_close(left, given.photo[0, :, 8:, :8].mean((1, 2))[:, None, None].expand(3, 8, 8))
    assert engine().condition(given).shape[1] == 3


def test_other_features_give_another_photograph_of_the_same_labels() -> None:
    hd = engine(Colours()).eval()
    a, b = (hd.product(hd.condition(scenes(seed)))[0] for seed in (0, 1))
    assert (a - b).abs().max() > 1e-4


def test_the_encoder_learns_with_the_generator() -> None:
    encoder = Colours()
    players = Players(engine(encoder), TrainConfig(steps=1), torch.device("cpu"))
    players.step(repeat(scenes()), 0)
    assert encoder.scale.item() != 1


def test_the_coarse_generator_is_held_at_first() -> None:
    torch.manual_seed(0)
    enhancer = LocalEnhancer(LocalEnhancer.Config(3, 3, 2, 1, 1, 1))
    hd = Pix2PixHD(enhancer, judges(), None, None, Pix2PixHDConfig(perceptual=0.0, held_steps=2))
    players = Players(hd, TrainConfig(steps=3), torch.device("cpu"))
    weight = enhancer.coarse.body.layers[1].weight
    assert isinstance(weight, Tensor)
    moved = []
    for t in range(3):
        before = weight.detach().clone()
        players.step(repeat(scenes()), t)
        moved.append(not torch.equal(weight, before))
    assert moved == [False, False, True]


def painted(*colours: float) -> Scenes:
    """The first class of the first colour, the two instances of the second one of the others."""
    photo = torch.empty(1, 3, 16, 16)
    photo[..., :8, :], photo[..., 8:, :8], photo[..., 8:, 8:] = (torch.tensor(colour) for colour in colours)
    return scenes()._replace(photo=photo)


def test_styles_are_groups_of_what_instances_look_like() -> None:
    torch.manual_seed(0)
    batches = [painted(0.3, 0.1, 0.9), painted(0.3, 0.1, 0.1), painted(0.3, 0.12, 0.9)]
    labels = [F.pad(batch.labels, (0, 0, 0, 0, 0, 1)) for batch in batches]  # a third class, which is not there
    batches = [batch._replace(labels=each) for batch, each in zip(batches, labels, strict=True)]
    first, second, third = engine(Colours()).styles(batches, 2)
    torch.testing.assert_close(first, torch.full((2, 3), 0.3), atol=0.01, rtol=0)
    torch.testing.assert_close(second, torch.tensor([[0.105] * 3, [0.9] * 3]), atol=0.02, rtol=0)
    assert third.tolist() == [[0.5, 0.5, 0.5]]
    with pytest.raises(UsageError, match="one style only"):
        engine().styles(batches)
