from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from imgen.losses.noise import cosine_decay, instance_noise, linear_decay, noisy_labels, patch_noise

CPU = torch.device("cpu")


@pytest.mark.parametrize("decay", [linear_decay, cosine_decay])
def test_decay_falls_from_1_to_0(decay: Callable[[int, int], float]) -> None:
    values = [decay(t, 10) for t in range(15)]
    assert values[0] == 1
    assert values[5] == pytest.approx(0.5)
    assert values[10:] == [0] * 5
    assert all(a > b for a, b in pairwise(values[:11]))


def test_instance_noise() -> None:
    torch.manual_seed(0)
    noisy = instance_noise(torch.full((4, 3, 64, 64), 0.5), 0.2)
    assert noisy.mean().item() == pytest.approx(0.5, abs=0.01)
    assert noisy.std().item() == pytest.approx(0.2, rel=0.02)


def test_nothing_is_nothing_and_draws_nothing() -> None:
    state = torch.get_rng_state()
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert instance_noise(x, 0) is x
    assert patch_noise(x, 0) is x
    assert noisy_labels(5, 0.9, device=CPU) == (0.9, 0)
    assert torch.equal(torch.get_rng_state(), state)


def test_flipped_labels() -> None:
    torch.manual_seed(0)
    real, fake = noisy_labels(100_000, 0.9, 0.1, device=CPU)
    assert isinstance(real, torch.Tensor)
    assert isinstance(fake, torch.Tensor)
    assert sorted(real.unique().tolist()) == pytest.approx([0, 0.9])
    assert sorted(fake.unique().tolist()) == [0, 1]
    assert (real == 0).float().mean().item() == pytest.approx(0.1, abs=0.005)
    assert fake.mean().item() == pytest.approx(0.1, abs=0.005)
    assert not torch.equal(real == 0, fake == 1)


@pytest.mark.parametrize("size", [32, 30])
def test_patch_noise(size: int) -> None:
    torch.manual_seed(0)
    x = torch.full((50, 3, size, size), 7.0)
    noisy = patch_noise(x, 0.25)
    touched = noisy != 7
    assert touched.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert noisy[touched].abs().max() <= 1
    assert noisy[touched].std().item() == pytest.approx(1 / 3**0.5, abs=0.02)
    corner = touched[:, :, :4, :4]
    assert torch.equal(corner, corner[:, :1, :1, :1].expand_as(corner))  # whole patches, all channels
    assert 0 < corner.float().mean() < 1
