from itertools import repeat

import pytest
import torch
from torch import Tensor, nn

from imgen.engines.inpainting import Holes, InpaintingConfig, InpaintingGAN
from imgen.networks.inpainter import Inpainter
from imgen.networks.patchgan import PatchGAN


def blurred(image: Tensor, target: Tensor) -> Tensor:
    """Stands in for a perceptual distance."""
    return nn.functional.avg_pool2d(image - target, 4).square().mean()


def engine(**changes: float) -> InpaintingGAN:
    torch.manual_seed(0)
    return InpaintingGAN(
        Inpainter(Inpainter.Config(half=8, quarter=8, eighth=16, blocks=2)),
        PatchGAN(PatchGAN.Config(channels=4, width=4)),
        blurred,
        InpaintingConfig(**{"adversary_from": 2, **changes}),  # type: ignore[arg-type]
    )


def holes() -> Holes:
    generator = torch.Generator().manual_seed(1)
    mask = torch.zeros(2, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    return Holes(torch.rand(2, 3, 32, 32, generator=generator), mask)


def test_the_discriminator_joins_when_it_is_told_to() -> None:
    gan, batches = engine(), repeat(holes())
    assert [name for name, _ in gan.step(batches, 0)] == ["generator"]  # type: ignore[misc]
    assert [name for name, _ in gan.step(batches, 2)] == ["discriminator", "generator"]  # type: ignore[misc]
    assert set(gan.terms()) == {"pixel", "perceptual", "adversarial", "matching"}


def test_the_discriminators_loss_does_not_reach_the_generator() -> None:
    gan = engine()
    name, loss = next(gan.step(repeat(holes()), 5))  # type: ignore[misc]
    assert name == "discriminator"
    gradients = torch.autograd.grad(loss, list(gan.generator.parameters()), allow_unused=True)
    assert all(g is None for g in gradients)


def test_the_hinge_sees_only_patches_that_touch_the_hole() -> None:
    gan, batch = engine(adversary_from=0), holes()
    nowhere = Holes(batch.image, torch.zeros_like(batch.mask))
    nowhere.mask[..., 0, 0] = 1
    score = gan.discriminator(torch.cat([batch.image * 2 - 1, nowhere.mask], 1)).logits
    assert score.shape[-2:] == (4, 4)
    _, loss = next(gan.step(repeat(nowhere), 0))  # type: ignore[misc]
    real = score[:, :, 0, 0]  # the one patch of sixteen that the hole touches
    fake = gan.discriminator(torch.cat([gan.generator(*nowhere) * 2 - 1, nowhere.mask], 1)).logits[:, :, 0, 0]
    assert loss.item() == pytest.approx((torch.relu(1 - real) + torch.relu(1 + fake)).mean().item(), rel=0.05)


def test_one_batch_can_be_learnt() -> None:
    gan, batch = engine(adversarial=0.0, matching=0.0, adversary_from=10_000), holes()
    optimizer = torch.optim.Adam(gan.generator.parameters(), 3e-3)
    losses = []
    for t in range(40):
        ((_, loss),) = list(gan.step(repeat(batch), t))  # type: ignore[misc]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_the_distance_is_no_part_of_the_state() -> None:
    frozen = nn.Bilinear(3, 3, 1)
    gan = InpaintingGAN(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), frozen, InpaintingConfig())
    assert len(gan.state_dict()) == 4
