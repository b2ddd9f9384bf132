from collections.abc import Mapping
from itertools import repeat

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.data.batch import Batch
from imgen.engines.cvae_gan import CVAEGAN
from imgen.errors import UsageError
from imgen.losses.adversarial import MINIMAX, NON_SATURATING
from imgen.losses.divergence import kl_standard_normal
from imgen.losses.matching import mean_match, mean_match_unbiased, pair_l2
from imgen.networks.gaussian import gaussian
from imgen.networks.scale import Shape

POINTS = Shape(0, 5, 3)
CENTRES = torch.tensor([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])


def engine(shape: Shape = POINTS, **changes: float | str | bool) -> CVAEGAN:
    torch.manual_seed(0)
    return CVAEGAN.build(shape, CVAEGAN.Config(**{"code": 3, "width": 4, **changes}))  # type: ignore[arg-type]


def data() -> Batch:
    torch.manual_seed(1)
    return Batch(torch.randn(16, 5) * 3, torch.arange(16) % 3, torch.arange(16))


def losses(cvae_gan: CVAEGAN) -> Mapping[str, Tensor]:
    batch = data()
    (update,) = cvae_gan.step(repeat(batch), 0)
    assert isinstance(update, Mapping)
    return update


def gradient(loss: Tensor, network: torch.nn.Module) -> Tensor:
    grads = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=True)
    return torch.cat([g.flatten() for g in grads if g is not None])


def test_the_losses_are_those_of_algorithm_1() -> None:
    cvae_gan = engine(divergence=2.0, pairs=0.5, means=0.25, centres=0.125)
    found = losses(cvae_gan)
    image, label, _ = data()
    posterior = gaussian(cvae_gan.encoder(image, label))
    again, new = cvae_gan.decoder(posterior.sample(), label), cvae_gan.decoder(cvae_gan.prior(16), label)
    scored = [cvae_gan.discriminator(x) for x in (image, again, new)]
    named = [cvae_gan.classifier(x) for x in (image, again, new)]
    seen, known = ([each.features[-1] for each in all_] for all_ in (scored, named))
    pairs = pair_l2(again, image) + pair_l2(seen[1], seen[0]) + pair_l2(known[1], known[0])
    classes = sum(mean_match(known[2][label == c], known[0][label == c]) for c in range(3))
    wanted = {
        "encoder": 2 * kl_standard_normal(*posterior).mean() + 0.5 * pairs,
        "decoder": 0.5 * pairs + 0.25 * mean_match(seen[2], seen[0]) + 0.125 * classes,
        "discriminator": sum(
            F.softplus(sign * each.logits).mean() for sign, each in zip((-1, 1, 1), scored, strict=True)
        ),
        "classifier": F.cross_entropy(named[0].logits, label),
    }
    assert found.keys() == wanted.keys()
    for name, loss in wanted.items():
        torch.testing.assert_close(found[name], torch.as_tensor(loss), msg=name)


@pytest.mark.parametrize("other", ["discriminator", "classifier"])
def test_the_generator_is_told_no_cross_entropy(other: str) -> None:
    """The last layer, bias and weights, by which scores are made of features, makes no difference to it."""
    cvae_gan = engine(means=1.0, centres=1.0)
    before = losses(cvae_gan)
    moved = {name: gradient(before[name], cvae_gan.get_submodule(name)) for name in ("encoder", "decoder")}
    own = gradient(before[other], cvae_gan.get_submodule(other))
    cvae_gan = engine(means=1.0, centres=1.0)
    with torch.no_grad():
        cvae_gan.get_parameter(f"{other}.score.weight").mul_(-3)
        cvae_gan.get_parameter(f"{other}.score.bias").add_(7)
    after = losses(cvae_gan)
    for name, wanted in moved.items():
        assert torch.equal(gradient(after[name], cvae_gan.get_submodule(name)), wanted)
    assert not torch.allclose(gradient(after[other], cvae_gan.get_submodule(other)), own)


@pytest.mark.parametrize("weight", ["means", "centres"])
def test_samples_move_the_generator_by_means_alone(weight: str) -> None:
    off = engine(pairs=0.0, means=0.0, centres=0.0)
    assert not gradient(losses(off)["decoder"], off.decoder).any()
    on = engine(**{"pairs": 0.0, "means": 0.0, "centres": 0.0, weight: 1.0})
    found = losses(on)
    assert gradient(found["decoder"], on.decoder).any()
    # What is real is the aim and not a thing to be moved: the encoder has no part in the means.
    assert not gradient(found["decoder"], on.encoder).any()


def test_the_means_that_are_matched_survive_batch_normalisation() -> None:
    """Images that differ from the samples by their brightness alone: normalised apart they would look the same."""
    cvae_gan = engine(Shape(8, 1, 2), means=1.0)
    image, label = torch.full((8, 1, 8, 8), -1.0), torch.arange(8) % 2
    terms = []
    for brightness in (0.0, 0.9):
        torch.manual_seed(1)
        list(cvae_gan.step(repeat(Batch(image + brightness, label, label)), 0))
        terms.append(cvae_gan.terms()["means"])
    assert abs(terms[0] - terms[1]) > 0.05 * terms[0]


def test_centres_are_averages_over_batches_and_are_saved() -> None:
    cvae_gan = engine()
    list(cvae_gan.step(repeat(data()), 0))
    first = cvae_gan.state_dict()["real_centres.values"].clone()
    list(cvae_gan.step(repeat(data()), 1))
    assert torch.equal(cvae_gan.state_dict()["real_centres.seen"], torch.ones(3, dtype=torch.bool))
    torch.testing.assert_close(cvae_gan.real_centres.values, first)  # the same images
    drifted = cvae_gan.state_dict()["made_centres.values"]
    assert drifted.shape == first.shape == (3, 32)


def test_feature_matching_survives_a_perfect_discriminator() -> None:
    """Where it is sure, log(1 - D) has no gradient left; the distance of mean features does not care."""
    torch.manual_seed(0)
    real, shift = torch.randn(256, 2) * 0.1 + 3, torch.zeros(2, requires_grad=True)
    fake = torch.randn(256, 2) * 0.1 - 3 + shift
    layer = torch.nn.Linear(2, 8)
    seen = [torch.tanh(layer(x) / 4) for x in (real, fake)]
    direction = (seen[0].mean(0) - seen[1].mean(0)).detach()
    middle = ((seen[0].mean(0) + seen[1].mean(0)) / 2).detach()
    logits = [40 * (x - middle) @ direction / direction.square().sum() for x in seen]
    assert logits[0].min() > 10
    assert logits[1].max() < -10
    (saturated,) = torch.autograd.grad(MINIMAX.generator(logits[1]), shift, retain_graph=True)
    (matched,) = torch.autograd.grad(mean_match(seen[1], seen[0].detach()), shift)
    assert matched.norm() > 100 * saturated.norm()
    assert matched.norm() > 0.01
    assert (matched < 0).all()  # down the gradient is towards the real ones
    assert NON_SATURATING.discriminator(*logits) < 1e-3


def test_unbiased_estimates_of_means_and_centres() -> None:
    cvae_gan = engine(means=1.0, centres=1.0, pairs=0.0, unbiased=True)
    list(cvae_gan.step(repeat(data()), 0))
    centres = [each.values.clone() for each in (cvae_gan.made_centres, cvae_gan.real_centres)]
    found = losses(cvae_gan)
    image, label, _ = data()
    gaussian(cvae_gan.encoder(image, label)).sample()
    new = cvae_gan.decoder(cvae_gan.prior(16), label)
    means = mean_match_unbiased(*(cvae_gan.discriminator(x).features[-1] for x in (new, image)))
    assert cvae_gan.terms()["means"] == pytest.approx(means.item(), rel=1e-4)
    wanted = means + (centres[0] - centres[1]).square().sum() / 2  # those from before this batch
    torch.testing.assert_close(found["decoder"], wanted)


def test_one_image_has_no_unbiased_mean() -> None:
    with pytest.raises(UsageError, match="--batch 2 or more"):
        list(engine(unbiased=True).step(repeat(Batch(*(each[:1] for each in data()))), 0))


def draw(n: int = 64) -> Batch:
    label = torch.randint(3, (n,))
    return Batch(CENTRES[label] + 0.2 * torch.randn(n, 2), label, torch.arange(n))


def test_samples_and_reconstructions_are_of_their_class(train) -> None:  # type: ignore[no-untyped-def]
    cvae_gan = engine(Shape(0, 2, 3), code=2, width=8, learning_rate=2e-3, divergence=0.1)
    train(cvae_gan, draw, 200)
    label = torch.arange(300) % 3
    made = cvae_gan.sample(300)
    assert (torch.cdist(made, CENTRES).argmin(1) == label).float().mean() > 0.95
    image, label, _ = draw(300)
    assert (cvae_gan.reconstruct(image, label) - image).square().mean() < 0.1
    way = cvae_gan.interpolate(image[:1], image[1:2], 3, torch.tensor([2]))
    assert (torch.cdist(way[0], CENTRES).argmin(1) == 2).all()


def test_classes_can_be_mixed() -> None:
    cvae_gan = engine(Shape(8, 3, 2)).eval()
    code = cvae_gan.prior(2)
    ends = [cvae_gan.decode(code, torch.tensor([which, which])) for which in (0, 1)]
    weights = torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    mixed = cvae_gan.decode(code, weights)
    assert torch.equal(mixed[0], ends[0][0])
    for end in ends:
        assert not torch.allclose(mixed[1], end[1], rtol=0, atol=1e-5)


def test_without_labels_the_classes_take_turns() -> None:
    cvae_gan = engine()
    torch.manual_seed(1)
    samples = cvae_gan.sample(5)
    torch.manual_seed(1)
    assert torch.equal(samples, cvae_gan.sample(5, torch.tensor([0, 1, 2, 0, 1])))


@pytest.mark.parametrize("classes", [0, 1])
def test_data_without_classes_are_refused(classes: int) -> None:
    with pytest.raises(UsageError, match=f"2 or more classes, these have {classes}"):
        engine(Shape(16, 1, classes))


def test_data_of_unknown_class_are_refused() -> None:
    batch = data()
    batch.label[3] = -1
    with pytest.raises(UsageError, match="needs the class of every image"):
        next(engine().step(repeat(batch), 0))


def test_a_decay_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="less than 1, got 1"):
        engine(decay=1.0)


def test_all_four_learn_by_the_features_of_imagenet_which_are_not_stored() -> None:
    cvae_gan = engine(Shape(32, 3, 2), features="imagenet")
    label = torch.arange(8) % 2
    (update,) = cvae_gan.step(repeat(Batch(torch.rand(8, 3, 32, 32) * 2 - 1, label, label)), 0)
    assert isinstance(update, Mapping)
    for name, loss in update.items():
        assert gradient(loss, cvae_gan.get_submodule(name)).any()
    assert not any("trunk" in name for name in cvae_gan.state_dict())


@pytest.mark.parametrize("shape", [POINTS, Shape(32, 1, 2)])
def test_the_features_of_imagenet_want_colour(shape: Shape) -> None:
    with pytest.raises(UsageError, match="in colour"):
        engine(shape, features="imagenet")


def test_features_that_there_are_not_are_refused() -> None:
    with pytest.raises(UsageError, match="one of own and imagenet"):
        engine(features="vgg")
