from itertools import repeat

import pytest
import torch
from torch import Tensor, nn

from imgen.data.batch import Batch
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.memoriser import Memoriser
from imgen.errors import UsageError
from imgen.networks.network import Network
from imgen.networks.scale import Shape

TINY = Autoencoder.Config(code=4, width=2)


class Linear(Network):
    """A matrix as an encoder or a decoder."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.matrix = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.matrix(x)


@pytest.mark.parametrize("size", [0, 8, 16, 64, 256])
def test_shapes_through_the_code_and_back(size: int) -> None:
    torch.manual_seed(0)
    engine = Autoencoder.build(Shape(size, 3), TINY).eval()
    image = torch.rand(2, 3, *[size] * 2) * 2 - 1 if size else torch.randn(2, 3)
    assert engine.encode(image).shape == (2, 4)
    again = engine.reconstruct(image)
    assert again.shape == image.shape
    assert engine.sample(3).shape == (3, *image.shape[1:])
    assert engine.interpolate(image, image.flip(0), 5).shape == (2, 5, *image.shape[1:])
    if size:
        assert 0 <= again.min() <= again.max() <= 1


def test_the_loss_is_half_the_squared_error_of_an_image() -> None:
    torch.manual_seed(0)
    engine = Autoencoder.build(Shape(8, 1), TINY).eval()
    image = torch.rand(5, 1, 8, 8) * 2 - 1
    ((_, loss),) = engine.step(repeat(Batch(image, torch.zeros(5), torch.arange(5))), 0)  # type: ignore[misc]
    again = engine.reconstruct(image) * 2 - 1
    expected = torch.stack([(a - b).square().sum() / 2 for a, b in zip(again, image, strict=True)]).mean()
    torch.testing.assert_close(loss.detach(), expected)


def test_a_linear_one_finds_the_principal_components(train) -> None:  # type: ignore[no-untyped-def]
    """Baldi & Hornik 1989: the least error left by k values is the sum of the other eigenvalues."""
    torch.manual_seed(0)
    deviations = torch.tensor([3.0, 2.0, 1.0, 0.5, 0.3])
    turn = torch.linalg.qr(torch.randn(5, 5)).Q
    data = torch.randn(512, 5) * deviations @ turn
    left = torch.linalg.eigvalsh(data.T @ data / len(data))[:3].sum()
    engine = Autoencoder(Linear(5, 2), Linear(2, 5), Autoencoder.Config(learning_rate=0.02))
    losses = train(engine, lambda: data, 600)
    assert 2 * losses[-1]["autoencoder"] == pytest.approx(left.item(), rel=0.01)


def tokens(n: int) -> Batch:
    torch.manual_seed(1)
    return Batch(torch.rand(n, 1, 8, 8) * 1.8 - 0.9, torch.full((n,), -1), torch.arange(n))


@pytest.mark.parametrize("one_hot", [True, False])
def test_the_memoriser_knows_its_images_by_heart(train, one_hot: bool) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    batch = tokens(4)
    config = Memoriser.Config(images=4, one_hot=one_hot, code=3, width=16, learning_rate=5e-3)
    engine = Memoriser.build(Shape(8, 1), config)
    before = engine.codes.weight.clone()
    train(engine.train(), lambda: batch, 300)
    remembered = engine.recall(batch.index)
    assert (remembered - (batch.image + 1) / 2).square().mean() < 1e-4
    assert torch.equal(engine.codes.weight, before) == one_hot
    drawn = engine.sample(8)
    nearest = torch.cdist(drawn.flatten(1), remembered.flatten(1)).min(1).values
    assert nearest.max() < 1e-4  # it can only repeat


def test_one_hot_codes_are_as_long_as_the_set() -> None:
    engine = Memoriser.build(Shape(8, 1), Memoriser.Config(images=6, one_hot=True, width=2))
    assert torch.equal(engine.codes(torch.tensor([2]))[0], torch.eye(6)[2])
    assert engine.config.code == 6


def test_more_images_than_codes_are_refused() -> None:
    engine = Memoriser.build(Shape(8, 1), Memoriser.Config(images=3, code=2, width=2))
    with pytest.raises(UsageError, match="image number 3 and 3 codes; set images"):
        next(engine.step(repeat(tokens(4)), 0))


def test_the_memoriser_has_no_encoder() -> None:
    engine = Memoriser.build(Shape(8, 1), Memoriser.Config(images=3, code=2, width=2))
    with pytest.raises(UsageError, match="Memoriser has no encoder"):
        engine.reconstruct(tokens(2).image)
