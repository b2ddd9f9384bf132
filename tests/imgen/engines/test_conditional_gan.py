from itertools import repeat

import pytest
import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.conditional_gan import ConditionalGAN, mismatched
from imgen.errors import UsageError
from imgen.losses.adversarial import NON_SATURATING
from imgen.networks.scale import Shape

CENTRES = torch.tensor([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
PLANE = Shape(0, 2, 3)


def draw(n: int = 64) -> Batch:
    label = torch.randint(3, (n,))
    return Batch(CENTRES[label] + 0.3 * torch.randn(n, 2), label, torch.arange(n))


def build(shape: Shape = PLANE, **changes: float | str) -> ConditionalGAN:
    torch.manual_seed(0)
    config = ConditionalGAN.Config(code=2, width=8, **changes)  # type: ignore[arg-type]
    return ConditionalGAN.build(shape, config)


@pytest.mark.parametrize("classes", [2, 5])
def test_a_mismatched_label_is_any_but_the_true_one(classes: int) -> None:
    torch.manual_seed(0)
    label = torch.randint(classes, (20_000,))
    other = mismatched(label, classes)
    pairs = torch.bincount(label * classes + other, minlength=classes**2).reshape(classes, classes)
    assert not pairs.diagonal().any()
    shares = pairs / pairs.sum(1, keepdim=True)
    assert (shares - (1 - torch.eye(classes)) / (classes - 1)).abs().max() < 0.05


@pytest.mark.parametrize("mismatch", [0.0, 0.25, 0.5])
def test_fakes_of_both_kinds_weigh_1_together(mismatch: float) -> None:
    gan, data = build(mismatch=mismatch), draw()
    torch.manual_seed(1)
    losses = dict(gan.step(repeat(data), 0))  # type: ignore[arg-type]
    torch.manual_seed(1)
    code = gan.prior(64)
    other = mismatched(data.label, 3)
    real, wrong = (gan.discriminator(data.image, label).logits for label in (data.label, other))
    fake = gan.discriminator(gan.generator(code, data.label), data.label).logits
    wanted = NON_SATURATING.real(real).mean()
    wanted = wanted + (1 - mismatch) * NON_SATURATING.fake(fake).mean() + mismatch * NON_SATURATING.fake(wrong).mean()
    assert losses["discriminator"].item() == pytest.approx(wanted.item(), abs=1e-6)
    assert losses["generator"].item() == pytest.approx(NON_SATURATING.generator(fake).item(), abs=1e-6)


def test_feature_matching_compares_means_of_the_last_features() -> None:
    gan, data = build(loss="feature-matching"), draw()
    torch.manual_seed(1)
    losses = dict(gan.step(repeat(data), 0))  # type: ignore[arg-type]
    torch.manual_seed(1)
    fake = gan.generator(gan.prior(64), data.label)
    means = [gan.discriminator(image, data.label).features[-1].mean(0) for image in (data.image, fake)]
    wanted = (means[0] - means[1]).square().sum() / 2
    torch.testing.assert_close(losses["generator"], wanted)


def test_an_aim_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'feature-matching'"):
        build(loss="feature-matchin")


def nearest(points: Tensor) -> Tensor:
    return torch.cdist(points, CENTRES).argmin(1)


def test_the_label_decides_the_class_of_what_is_made(train) -> None:  # type: ignore[no-untyped-def]
    gan = build(learning_rate=2e-3)
    train(gan, draw, 400)
    label = torch.arange(300) % 3
    code = gan.prior(300)
    for turn in range(3):
        turned = (label + turn) % 3
        assert (nearest(gan.decode(code, turned)) == turned).float().mean() > 0.95


def test_without_labels_the_classes_take_turns() -> None:
    gan = build()
    torch.manual_seed(1)
    samples = gan.sample(7)
    torch.manual_seed(1)
    assert torch.equal(samples, gan.sample(7, torch.tensor([0, 1, 2, 0, 1, 2, 0])))


def test_images_of_labels() -> None:
    gan = build(Shape(16, 1, 4)).eval()
    assert gan.sample(3, torch.tensor([3, 0, 1])).shape == (3, 1, 16, 16)


def test_data_without_classes_are_refused() -> None:
    with pytest.raises(UsageError, match="2 or more classes, these have 0"):
        build(Shape(16, 1))


def test_data_of_unknown_label_are_refused() -> None:
    data = draw()
    data.label[5] = -1
    with pytest.raises(UsageError, match="needs the label of every image"):
        next(build().step(repeat(data), 0))


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match=r"0 to 0.5, got 0.7"):
        build(mismatch=0.7)
