"""The recipes end to end on drawn pictures: squares behind glass, a run, what can begin with it, its model file."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from imgen import weights
from imgen.data.glass import Glass
from imgen.data.pairs import Pair
from imgen.errors import UsageError
from imgen.networks.attentive_discriminator import AttentiveDiscriminator
from imgen.networks.raindrops import RaindropRemover
from imgen.networks.vgg import HedVGG16
from imgen.training.config import TrainConfig
from imgen_apps.recipes import deraining, upscaling
from imgen_apps.recipes.deraining import RECIPES

TRAIN = TrainConfig(steps=2, log_every=1, picture_every=2)
SMALL = replace(
    RECIPES["deraining"],
    train=TRAIN,
    network=RaindropRemover.Config(attention=4, blocks=1, steps=2, width=4),
    side=32,
    batch=2,
)
GAN = replace(
    RECIPES["deraining-gan"],
    train=TRAIN,
    network=SMALL.network,
    critic=AttentiveDiscriminator.Config(4, 16),
    side=32,
    batch=2,
)


@pytest.fixture(autouse=True)
def _features(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pretrained ones are of a package of their own, and slow."""
    monkeypatch.setattr(HedVGG16, "pretrained", lambda blocks: torch.nn.AvgPool2d(kernel_size=blocks))


def test_squares_depend_on_seed_and_number_alone_and_the_mask_says_where_they_change(photos: Path) -> None:
    source = replace(SMALL, batch=8, clear=0.5).source([photos])
    views, again = source.batch(1), source.batch(1)
    assert all(torch.equal(one, other) for one, other in zip(views, again, strict=True))
    assert not torch.equal(views.clean, source.batch(0).clean)
    dirty, clean, mask, covered = views
    assert (dirty.shape, mask.shape) == ((8, 3, 32, 32), (8, 1, 32, 32))
    changed = (dirty != clean).flatten(1).any(1)
    assert not mask[~changed].any()
    assert not covered[~changed].any()
    two = ((255 * image).round().byte().permute(0, 2, 3, 1).numpy() for image in (dirty, clean))
    seen = torch.from_numpy(np.stack([Pair(*pair).mask() for pair in zip(*two, strict=True)]))
    assert (mask[:, 0] >= seen).all()
    assert (mask[:, 0] == seen).float().mean() > 0.9
    assert changed.any()
    assert not changed.all()
    assert SMALL.with_batch(3).with_size(64).source([photos]).batch(0).dirty.shape == (3, 3, 64, 64)


@pytest.mark.parametrize("size", [0, 8, 40])
def test_sizes_that_the_network_cannot_take_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match=f"the size is {size}; .* multiples of 32 pixels"):
        SMALL.with_size(size)


def test_what_hides_the_scene_is_a_drop_though_it_looks_the_same(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = np.array([0, 0.4, 0.6, 0.8], np.float32).repeat(8)
    monkeypatch.setattr(deraining, "drops", lambda clean, *_, **__: Glass(clean, np.tile(shares, (32, 1))))
    *_, mask, covered = replace(SMALL, clear=0).source([photos]).batch(0)
    assert torch.equal(covered, torch.from_numpy(shares).expand_as(covered))
    assert torch.allclose(mask, torch.tensor([0, 0, 0.5, 1]).repeat_interleave(8).expand_as(mask))


def test_photographs_come_by_any_light() -> None:
    """Both the views and what is around them; black and white stay."""
    ramp = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    one, other = deraining._tinted(np.random.default_rng(0), ramp, ramp[8:])
    assert np.array_equal(one[8:], other)
    assert not np.array_equal(one, ramp)
    assert (np.diff(one.reshape(-1, 3).astype(int), axis=0) >= 0).all()
    assert not one[0, 0].any()
    assert (one[-1, -1] == 255).all()
    assert len({int(level) for level in one[8, 0]}) == 3, "each colour by its own"


def test_pairs_of_ones_own_take_the_place_of_simulated_drops(photos: Path, tmp_path: Path) -> None:
    """And of photographs: none are named."""
    dirty = tmp_path / "dirty"
    dirty.mkdir()
    for path in photos.iterdir():
        image = cv2.imread(str(path))
        assert image is not None
        cv2.imwrite(str(dirty / path.name), cv2.circle(image, (40, 30), 12, (250, 240, 230), -1))
    recipe = replace(SMALL, batch=16).with_pairs(dirty, photos)
    source = recipe.source([])
    views, again = source.batch(1), source.batch(1)
    assert all(torch.equal(one, other) for one, other in zip(views, again, strict=True))
    differ = (views.dirty != views.clean).any(1, keepdim=True)
    assert views.clean.shape == (16, 3, 32, 32)
    assert views.clean.max() <= 1
    assert 0.02 < differ.float().mean() < 0.5
    assert (differ == (views.mask > 0.5)).float().mean() > 0.9
    run = recipe.trainer([], tmp_path / "run")
    run.run()
    assert run.step == 2
    with pytest.raises(UsageError, match="learns from single photographs"):
        upscaling.RECIPES["upscaling-x4"].with_pairs(dirty, photos)


def test_the_second_run_begins_with_what_the_first_made(photos: Path, tmp_path: Path) -> None:
    trained = SMALL.trainer([photos], tmp_path / "first")
    assert set(trained.engine.players()) == {"generator"}
    trained.run()
    assert list((tmp_path / "first" / "samples").iterdir())
    network = trained.average.engine.product
    spec = replace(SMALL.spec(network), licence="CC0-1.0")
    assert (spec.task, spec.multiple, spec.receptive_field, spec.radius) == ("derain", 32, "finite", network.radius)
    weights.save(network, tmp_path / "model.safetensors", spec)
    for start in ("first", "model.safetensors"):
        begun = GAN.trainer([photos], tmp_path / "second", start=tmp_path / start)
        state = begun.engine.product.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    begun.run()
    assert set(begun.engine.players()) == {"generator", "discriminator"}


@pytest.mark.parametrize(("name", "part"), [("deraining-find", "attend"), ("deraining-paint", "paint")])
def test_a_run_of_one_part_leaves_the_other_and_can_be_begun_with(
    name: str, part: str, photos: Path, tmp_path: Path
) -> None:
    recipe = replace(SMALL, losses=RECIPES[name].losses)
    run = recipe.trainer([photos], tmp_path / "part")
    before = {key: value.clone() for key, value in run.engine.product.state_dict().items()}
    run.run()
    again = recipe.trainer([photos], tmp_path / "part")
    again.resume()
    assert again.step == 2
    begun = SMALL.trainer([photos], tmp_path / "both", start=tmp_path / "part").engine.product.state_dict()
    assert {key.split(".")[0] for key, value in begun.items() if not value.equal(before[key])} == {part}


def test_the_papers_run_has_its_sizes_and_its_losses() -> None:
    engine = RECIPES["deraining-paper"].engine("cpu")
    assert set(engine.players()) == {"generator", "discriminator"}
    gates = engine.product.get_submodule("attend.gates")
    assert gates.weight.shape == (128, 64, 3, 3)
    assert engine.product.get_submodule("paint.quarter.6.0").dilation == (16, 16)
