from collections.abc import Mapping
from itertools import repeat

import pytest
import torch
from torch import Tensor

from imgen.data.batch import Batch
from imgen.engines.vae_gan import VAEGAN, gate
from imgen.losses.divergence import kl_standard_normal
from imgen.losses.matching import pair_l2
from imgen.networks.gaussian import gaussian
from imgen.networks.scale import Shape

POINTS = Shape(0, 5)


def engine(**changes: float) -> VAEGAN:
    torch.manual_seed(0)
    return VAEGAN.build(POINTS, VAEGAN.Config(**{"code": 3, "width": 4, **changes}))  # type: ignore[arg-type]


def losses(vae_gan: VAEGAN) -> Mapping[str, Tensor]:
    torch.manual_seed(1)
    image = torch.randn(16, 5) * 3
    (update,) = vae_gan.step(repeat(Batch(image, torch.zeros(16), torch.arange(16))), 0)
    assert isinstance(update, Mapping)
    return update


def gradient(loss: Tensor, network: torch.nn.Module) -> Tensor:
    return torch.cat(
        [
            g.flatten()
            for g in torch.autograd.grad(loss, list(network.parameters()), retain_graph=True, allow_unused=False)
        ]
    )


def test_all_play_at_once() -> None:
    assert list(losses(engine())) == ["encoder", "decoder", "discriminator"]


def test_the_encoder_is_told_divergence_and_distance_alone() -> None:
    """Nothing of the adversary: its last layer, which no feature depends on, makes no difference."""
    vae_gan = engine()
    before = losses(vae_gan)
    encoder, decoder = gradient(before["encoder"], vae_gan.encoder), gradient(before["decoder"], vae_gan.decoder)
    with torch.no_grad():
        vae_gan.discriminator.score.weight.mul_(-3)
    after = losses(vae_gan)
    assert torch.equal(gradient(after["encoder"], vae_gan.encoder), encoder)
    assert not torch.allclose(gradient(after["decoder"], vae_gan.decoder), decoder)


def test_the_encoders_loss_is_that_of_the_paper() -> None:
    vae_gan = engine()
    found = losses(vae_gan)["encoder"]
    torch.manual_seed(1)
    image = torch.randn(16, 5) * 3
    posterior = gaussian(vae_gan.encoder(image))
    again = vae_gan.decoder(posterior.sample())
    last = [vae_gan.discriminator(x).features[-1] for x in (image, again)]
    torch.testing.assert_close(found, kl_standard_normal(*posterior).mean() + pair_l2(*last))


@pytest.mark.parametrize("share", [1.0, 0.0])
def test_the_decoder_follows_the_weight_between_distance_and_adversary(share: float) -> None:
    vae_gan = engine(similarity=share)
    found = losses(vae_gan)
    decoder = gradient(found["decoder"], vae_gan.decoder)
    distance = gradient(found["encoder"], vae_gan.decoder)  # the divergence has no part in it
    cosine = torch.nn.functional.cosine_similarity(decoder, distance, dim=0).item()
    assert (cosine > 1 - 1e-5) == (share == 1)


def test_an_exact_copy_has_no_distance() -> None:
    vae_gan = engine()
    image = torch.randn(4, 5)
    features = [vae_gan.discriminator(x).features[-1] for x in (image, image.clone(), image + 0.1)]
    assert pair_l2(features[0], features[1]) == 0
    assert pair_l2(features[0], features[2]) > 0


@pytest.mark.parametrize(
    ("real", "fake", "decoder", "discriminator"),
    [
        (0.68, 0.68, 1, 1),
        (0.34, 1.02, 1, 1),
        (0.32, 0.68, 1, 0),  # sure of the real ones
        (0.68, 0.32, 1, 0),  # sure of the fakes
        (1.04, 0.68, 0, 1),  # beaten
        (0.68, 1.04, 0, 1),
        (0.32, 1.04, 1, 1),  # both would wait
        (1.04, 0.32, 1, 1),
    ],
)
def test_who_waits(real: float, fake: float, decoder: int, discriminator: int) -> None:
    plays = gate(torch.tensor(real), torch.tensor(fake), 0.68, 0.35)
    assert [float(p) for p in plays] == [decoder, discriminator]


def test_who_waits_does_not_move(train) -> None:  # type: ignore[no-untyped-def]
    vae_gan = engine(equilibrium=10.0, margin=1.0)  # all costs are low
    before = {key: value.clone() for key, value in vae_gan.state_dict().items()}
    (found,) = train(vae_gan, lambda: torch.randn(16, 5), 1)
    assert found["discriminator"] == 0
    moved = {key.split(".")[0] for key, value in vae_gan.state_dict().items() if not torch.equal(value, before[key])}
    assert moved == {"encoder", "decoder"}


def test_images_go_through_the_code_and_back() -> None:
    torch.manual_seed(0)
    vae_gan = VAEGAN.build(Shape(8, 3), VAEGAN.Config(code=3, width=2)).eval()
    image = torch.rand(2, 3, 8, 8) * 2 - 1
    torch.testing.assert_close(vae_gan.encode(image), vae_gan.encoder(image)[:, :3])
    assert 0 <= vae_gan.reconstruct(image).min() <= vae_gan.reconstruct(image).max() <= 1


def test_samples_take_the_place_of_the_data(train) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    vae_gan = VAEGAN.build(Shape(0, 2), VAEGAN.Config(code=2, width=8, learning_rate=1e-3, similarity=0.1))
    centre = torch.tensor([2.0, -1.0])
    train(vae_gan, lambda: centre + 0.5 * torch.randn(128, 2), 400)
    drawn = vae_gan.sample(2000)
    torch.testing.assert_close(drawn.mean(0), centre, atol=0.3, rtol=0)
    data = centre + 0.5 * torch.randn(500, 2)
    assert (vae_gan.reconstruct(data) - data).square().mean() < 0.25
