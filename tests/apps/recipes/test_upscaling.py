"""The recipes end to end on drawn pictures: pairs, a run, what can begin with it, its model file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imgen import weights
from imgen.data.degrade import bicubic
from imgen.errors import ModelError, UsageError
from imgen.networks.patchgan import PatchGAN
from imgen.networks.srresnet import SRGANDiscriminator, SRResNet
from imgen.networks.upscaler import Upscaler
from imgen.training.config import TrainConfig
from imgen_apps.recipes import upscaling
from imgen_apps.recipes.upscaling import RECIPES, UpscalingRecipe

TRAIN = TrainConfig(steps=2, log_every=1, picture_every=2)
FIDELITY = replace(RECIPES["upscaling-x4"], train=TRAIN, network=Upscaler.Config(4, 4, 1), side=8, batch=2)
PHOTO = replace(
    RECIPES["upscaling-gan-x4"],
    train=TRAIN,
    network=FIDELITY.network,
    critic=PatchGAN.Config(width=4),
    side=8,
    batch=2,
)
PAPER = replace(RECIPES["srresnet"], train=TRAIN, network=SRResNet.Config(4, 4, 1), side=8, batch=2)
SRGAN = replace(
    RECIPES["srgan"],
    train=TRAIN,
    network=PAPER.network,
    critic=SRGANDiscriminator.Config(32, 3, 4, 8),
    side=8,
    batch=2,
)


@pytest.fixture(autouse=True)
def _features(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pretrained ones are of a package of their own, and slow."""
    monkeypatch.setattr(upscaling, "FEATURES", dict.fromkeys(upscaling.FEATURES, lambda _: lambda image: [image]))


def pixels(image: torch.Tensor) -> np.ndarray:
    return (image * 255).round().byte().permute(1, 2, 0).numpy()


def test_pairs_depend_on_seed_and_number_alone_and_are_made_as_the_recipe_says(photos: Path) -> None:
    source, worse = FIDELITY.source([photos]), PHOTO.source([photos])
    (low, high), again = source.batch(1), source.batch(1)
    assert torch.equal(low, again.low)
    assert torch.equal(high, again.high)
    assert not torch.equal(high, source.batch(0).high)
    assert (low.shape, high.shape) == ((2, 3, 8, 8), (2, 3, 32, 32))
    assert np.array_equal(pixels(low[0]), bicubic(pixels(high[0]), 4))
    pairs = [pair for number in range(4) for pair in zip(*worse.batch(number), strict=True)]
    assert not all(np.array_equal(pixels(small), bicubic(pixels(large), 4)) for small, large in pairs)
    assert FIDELITY.with_batch(3).source([photos]).batch(0).low.shape == (3, 3, 8, 8)


@pytest.mark.parametrize(("first", "second"), [(FIDELITY, PHOTO), (PAPER, SRGAN)], ids=["ours", "paper"])
def test_the_second_run_begins_with_what_the_first_made(
    first: UpscalingRecipe, second: UpscalingRecipe, photos: Path, tmp_path: Path
) -> None:
    trained = first.trainer([photos], tmp_path / "first")
    assert set(trained.engine.players()) == {"generator"}
    trained.run()
    network = trained.average.engine.product
    spec = replace(first.spec(network), licence="CC0-1.0")
    assert (spec.task, spec.scale, spec.receptive_field, spec.radius) == ("upscale", 4, "finite", network.radius)
    weights.save(network, tmp_path / "model.safetensors", spec)
    for start in ("first", "model.safetensors"):
        begun = second.trainer([photos], tmp_path / "second", start=tmp_path / start)
        state = begun.engine.product.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    begun.run()
    assert set(begun.engine.players()) == {"generator", "discriminator"}
    assert (tmp_path / "second" / "samples" / "step-000002.png").exists()


def test_another_scale_takes_over_what_does_not_depend_on_it(photos: Path, tmp_path: Path) -> None:
    first = FIDELITY.trainer([photos], tmp_path / "x4")
    first.save()
    twice = replace(FIDELITY, network=replace(FIDELITY.network, scale=2))
    begun = twice.trainer([photos], tmp_path / "x2", start=tmp_path / "x4").engine.product
    assert torch.equal(begun.enter.weight, first.average.engine.product.enter.weight)
    assert begun(torch.rand(1, 3, 4, 4)).shape == (1, 3, 8, 8)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_teacher_says_what_damaged_squares_become(scale: int, photos: Path, tmp_path: Path) -> None:
    larger = Upscaler(Upscaler.Config(4, 8, 1)).eval()
    weights.save(larger, tmp_path / "teacher.safetensors", replace(FIDELITY.spec(larger), licence="CC0-1.0"))
    network = replace(FIDELITY.network, scale=scale)
    recipe = replace(RECIPES[f"upscaling-photo-x{scale}"], train=TRAIN, network=network, side=8, batch=8)
    low, high = recipe.source([photos]).batch(0)
    taught = recipe.with_teacher(tmp_path / "teacher.safetensors").source([photos]).batch(0)
    assert torch.equal(taught.low, low)
    assert taught.high.shape == high.shape
    changed = torch.tensor([not torch.equal(a, b) for a, b in zip(taught.high, high, strict=True)])
    clean = torch.tensor([np.array_equal(pixels(a), bicubic(pixels(b), scale)) for a, b in zip(low, high, strict=True)])
    assert torch.equal(changed, ~clean)
    if scale == 4:
        assert torch.allclose(taught.high[changed], larger(low[changed]).clamp(0, 1), atol=1e-6)
    with pytest.raises(UsageError, match="photographs alone"):
        FIDELITY.with_teacher(tmp_path / "teacher.safetensors")


@pytest.mark.parametrize("network", [Upscaler.Config(4, 8, 1), SRResNet.Config(4, 4, 1)], ids=["wider", "another"])
def test_a_start_with_another_network_is_refused(network: Upscaler.Config, photos: Path, tmp_path: Path) -> None:
    FIDELITY.trainer([photos], tmp_path / "first").save()
    with pytest.raises(ModelError, match="of other sizes"):
        replace(FIDELITY, network=network).trainer([photos], tmp_path / "x", start=tmp_path / "first")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_every_recipe_has_the_parts_that_its_losses_want(recipe: UpscalingRecipe) -> None:
    engine = recipe.engine("cpu")
    side = recipe.side * recipe.network.scale
    if engine.discriminator is not None:
        assert engine.discriminator(torch.rand(2, 3, side, side)).logits.shape[0] == 2
