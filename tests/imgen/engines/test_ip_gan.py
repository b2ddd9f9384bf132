from collections.abc import Mapping
from dataclasses import replace
from itertools import repeat
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from imgen.data.batch import Batch
from imgen.engines.ip_gan import IPGAN
from imgen.engines.recognition import Recognition, RecognitionConfig, Taught, with_margin
from imgen.errors import UsageError
from imgen.networks.conv import ConvDecoder, ConvDiscriminator, ConvEncoder
from imgen.networks.recogniser import SHARPNESS, Recogniser
from imgen.training.config import TrainConfig
from imgen.training.players import Players

LEARNING, FROZEN = IPGAN.Config(), IPGAN.Config(recogniser_rate=0.0)


def engine(config: IPGAN.Config = LEARNING) -> IPGAN:
    torch.manual_seed(0)
    who = Recogniser.Config(8, 3, code=4, width=4, classes=3)
    recogniser = Recogniser(who)
    return IPGAN(
        recogniser,
        ConvEncoder(ConvEncoder.Config(8, 3, 2 * 5, 4, 8)),
        ConvDecoder(ConvDecoder.Config(8, 3, 4 + 5, 4, 8)),
        Recogniser(who) if config.recogniser_rate else recogniser,
        ConvDiscriminator(ConvDiscriminator.Config(8, 3, 4, 8)),
        config,
    ).train()


def batch(known: bool = True) -> Batch:
    image = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(image, torch.arange(6) % 3 if known else torch.full((6,), -1), torch.arange(6))


def losses(gan: IPGAN, t: int, data: Batch | None = None) -> Mapping[str, Tensor]:
    (update,) = gan.step(repeat(data or batch()), t)
    assert isinstance(update, Mapping)
    return update


def gradients(loss: Tensor, network: torch.nn.Module) -> list[Any]:
    return list(torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=True))


def test_one_picture_counts_in_full_and_another_one_a_tenth() -> None:
    gan, data = engine(), batch()
    again = IPGAN.Config(different=1.0)
    torch.manual_seed(3)
    losses(gan, 1, data)
    tenth = gan.terms()["pixels_different"]
    gan = engine(again)
    torch.manual_seed(3)
    losses(gan, 1, data)
    assert tenth == pytest.approx(0.1 * gan.terms()["pixels_different"], rel=1e-5)
    losses(gan, 2, data)
    assert "pixels_same" in gan.terms()


def test_pixels_are_compared_with_whose_attributes_they_have() -> None:
    gan, data = engine(replace(LEARNING, different=1.0)), batch()
    made: list[Tensor] = []
    gan.generator.register_forward_hook(lambda *said: made.append(said[2]))
    for t, wanted in ((0, data.image), (1, data.image.roll(1, 0))):
        losses(gan, t, data)
        found = gan.terms()["pixels_same" if t == 0 else "pixels_different"]
        assert found == pytest.approx((made[-1] - wanted).square().sum().item() / 12, rel=1e-5)


def test_everyone_minimises_their_own() -> None:
    gan = engine()
    update = losses(gan, 0)
    assert set(update) == set(gan.players()) == {"identity", "classifier", "attributes", "generator", "discriminator"}
    assert all(each is None for each in gradients(update["identity"], gan.classifier))
    assert all(each is None for each in gradients(update["attributes"], gan.discriminator))
    assert all(each is None for each in gradients(update["attributes"], gan.classifier))
    # The generator looks at who it was and is told by features alone: the identity network gets nothing of it.
    assert all(each is None for each in gradients(update["generator"], gan.recogniser))
    assert any(each is not None and each.abs().sum() > 0 for each in gradients(update["generator"], gan.generator))


def test_the_generator_never_sees_what_the_discriminator_decides() -> None:
    """A constant added to all its logits changes the discriminator's loss, and nothing for the generator."""
    told = []
    for offset in (0.0, 5.0):
        gan = engine()
        with torch.no_grad():
            assert gan.discriminator.score.bias is not None
            gan.discriminator.score.bias += offset
        torch.manual_seed(3)
        update = losses(gan, 0)
        told.append((gradients(update["generator"], gan.generator), update["discriminator"].item()))
    assert all(torch.equal(a, b) for a, b in zip(told[0][0], told[1][0], strict=True))
    assert told[0][1] != told[1][1]


def test_faces_of_nobody_known_teach_all_but_the_classes() -> None:
    gan = engine()
    update = losses(gan, 0, batch(known=False))
    assert update["identity"].item() == update["classifier"].item() == 0
    for player, network in (("identity", gan.recogniser), ("classifier", gan.classifier)):
        assert all(each is None or not each.any() for each in gradients(update[player], network))
    assert update["generator"].item() > 0


def test_what_is_given_stays_as_it_is() -> None:
    gan = engine(FROZEN)
    before = {name: value.clone() for name, value in gan.recogniser.state_dict().items()}
    players = Players(gan, TrainConfig(), torch.device("cpu"))
    for t in range(4):
        players.step(repeat(batch()), t)
    assert set(gan.players()) == {"attributes", "generator", "discriminator"}
    assert all(torch.equal(value, before[name]) for name, value in gan.recogniser.state_dict().items())


def test_without_the_identity_code_identities_are_alike() -> None:
    gan = engine(FROZEN).eval()
    first, second = batch().image[:1], batch().image[1:2]
    attributes = batch().image[2:3]
    assert not torch.equal(gan.combine(first, attributes), gan.combine(second, attributes))
    torch.nn.init.zeros_(gan.recogniser.norm.weight)
    torch.nn.init.zeros_(gan.recogniser.norm.bias)
    assert torch.equal(gan.combine(first, attributes), gan.combine(second, attributes))


class TestRecognition:
    def test_the_margin_is_on_the_right_class_alone(self) -> None:
        logits = torch.randn(3, 4)
        changed = with_margin(logits, torch.tensor([1, -1, 3]), 0.35)
        wanted = logits.clone()
        wanted[0, 1] -= SHARPNESS * 0.35
        wanted[2, 3] -= SHARPNESS * 0.35
        assert torch.allclose(changed, wanted)

    def test_it_is_taught_by_the_angle(self) -> None:
        network = Recogniser(Recogniser.Config(8, 3, code=4, width=4, classes=3))
        recognition = Recognition(network, RecognitionConfig(classes=0.0))
        image = batch().image
        with torch.no_grad():
            code = network(image).features[0]
        for scale, wanted in ((3.0, 0.0), (-1.0, 20.0)):
            ((_, loss),) = recognition.step(repeat(Taught(image, torch.full((6,), -1), scale * code)), 0)
            assert isinstance(loss, Tensor)
            assert loss.item() == pytest.approx(wanted, abs=1e-4)

    def test_a_teacher_of_other_codes_is_refused(self) -> None:
        recognition = Recognition(Recogniser(Recogniser.Config(8, 3, 4, 4, classes=2)), RecognitionConfig())
        with pytest.raises(UsageError, match="7 values, ours 4"):
            next(recognition.step(repeat(Taught(batch().image, torch.full((6,), -1), torch.randn(6, 7))), 0))

    def test_it_learns_who_is_who(self, train: Any) -> None:
        """Stripes of one direction are one person, whatever their phase."""
        torch.manual_seed(0)

        def draw() -> Taught:
            label = torch.randint(2, (16,))
            wave = torch.sin(torch.arange(8.0) * 1.6 + 6.3 * torch.rand(16, 1))[:, None, None, :]
            image = torch.where(label[:, None, None, None] > 0, wave, wave.transpose(2, 3)).expand(-1, 3, 8, 8)
            return Taught(image, label, torch.zeros(16, 0))

        network = Recogniser(Recogniser.Config(8, 3, code=4, width=8, classes=2))
        train(Recognition(network, RecognitionConfig(learning_rate=3e-3)), draw, 60)
        image, label, _ = draw()
        with torch.no_grad():
            code = F.normalize(network.code(image))
        cosines, same = code @ code.T, label[:, None] == label
        assert cosines[same].min() > cosines[~same].max()
