"""The recipes of translation end to end on drawn pictures: squares, a run, what can begin with it, its model files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from imgen import weights
from imgen.data.label_maps import Palette
from imgen.engines.cyclegan import CycleGAN
from imgen.errors import UsageError
from imgen.networks.patchgan import PatchGAN
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.unet import UNet
from imgen.training.config import TrainConfig
from imgen_apps.recipes import RECIPES, cyclegan, pix2pix
from imgen_apps.recipes.recipe import Recipe

TRAIN = TrainConfig(steps=2, log_every=1, picture_every=2)
PALETTE = Palette(("sky", "wall", "road"), ((80, 160, 240), (200, 40, 30), (90, 90, 90)))
SIZES: dict[str, Any] = {"critic": PatchGAN.Config(width=4, depth=1), "size": 32, "resize": 36, "train": TRAIN}
PAIRS = replace(pix2pix.RECIPES["pix2pix"], **SIZES, network=UNet.Config(width=4, depth=4))
LABELS = replace(
    pix2pix.RECIPES["labels2street"], **SIZES, network=UNet.Config(3, width=4, depth=4, dropout=0.0), palette=PALETTE
)
DRAWINGS = replace(pix2pix.RECIPES["edges2photo"], **SIZES, network=UNet.Config(width=4, depth=4, dropout=0.0))
UNPAIRED = replace(cyclegan.RECIPES["cyclegan"], **SIZES, network=TranslationResNet.Config(width=4, blocks=1))


def numbers(seed: int) -> np.ndarray:
    """A label map with a horizon and a wall, 40 x 56."""
    rng = np.random.default_rng(seed)
    image = np.zeros((40, 56), np.uint8)
    image[int(rng.integers(12, 24)) :] = 2
    left = int(rng.integers(4, 30))
    image[8:30, left : left + int(rng.integers(8, 20))] = 1
    return image


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """trainA, label maps in colours; trainB, photographs with the colours upside down; the numbers of the maps."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("trainA", "trainB", "numbers"):
        (folder / name).mkdir()
    for seed in range(5):
        label = numbers(seed)
        colours = PALETTE.painted(label)
        cv2.imwrite(str(folder / "trainA" / f"{seed}.png"), colours[..., ::-1])
        cv2.imwrite(str(folder / "trainB" / f"{seed}.png"), 255 - colours)
        cv2.imwrite(str(folder / "numbers" / f"{seed}.png"), label)
    return folder


def shows_red(images: Tensor) -> bool:
    """As the walls are in trainA, and nothing is in trainB."""
    return bool(((images[:, 0] > 0.7) & (images[:, 1] < 0.3)).any())


def test_batches_depend_on_seed_and_number_alone(data: Path) -> None:
    for recipe in (PAIRS, UNPAIRED, DRAWINGS):
        source = replace(recipe, batch=3).source([data] if recipe is not DRAWINGS else [data / "trainB"])
        one, again, other = source.batch(1), source.batch(1), source.batch(2)
        assert all(map(torch.equal, one, again))
        assert not torch.equal(one[1], other[1])
        for images in one:
            assert images.shape == (3, 3, 32, 32)
            assert images.min() >= 0
            assert images.max() <= 1


def test_pairs_stay_in_step_in_both_directions(data: Path) -> None:
    """What comes out is what goes in with its colours upside down and swapped, but for smooth edges."""
    for direction in ("AtoB", "BtoA"):
        recipe = replace(PAIRS.with_direction(direction), batch=4)
        batch = recipe.source([data]).batch(0)
        turned = 1 - batch.input.flip(1)
        assert (turned - batch.target).abs().amax(1).gt(0.1).float().mean() < 0.02
        assert shows_red(batch.input) == (direction == "AtoB")


def test_label_maps_come_one_plane_a_class_whether_numbered_or_coloured(data: Path) -> None:
    coloured = LABELS.source([data]).batch(3)
    assert coloured.input.shape == (1, 3, 32, 32)
    assert torch.equal(coloured.input.sum(1), torch.ones(1, 32, 32))
    numbered = LABELS.with_labels("3").source([data / "numbers", data / "trainB"]).batch(3)
    assert all(map(torch.equal, coloured, numbered))
    assert LABELS.with_labels("7").network.inputs == 7


def test_side_by_side_pairs_are_the_same_pairs(data: Path, tmp_path: Path) -> None:
    for path in (data / "trainA").iterdir():
        halves = [cv2.imread(str(data / name / path.name)) for name in ("trainA", "trainB")]
        cv2.imwrite(str(tmp_path / path.name), np.concatenate([half for half in halves if half is not None], 1))
    for recipe in (PAIRS, PAIRS.with_direction("BtoA"), LABELS):
        two, one = (recipe.source([folder]).batch(2) for folder in (data, tmp_path))
        assert all(map(torch.equal, two, one))


def test_every_image_comes_up_once_an_epoch(data: Path) -> None:
    source = replace(UNPAIRED, resize=40, size=40).source([data])
    places = [place for (place,) in source.domains[0].places]
    seen = set()
    for index in range(5):
        square = (source.batch(index).x[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        views = [(i, place[:, left : left + 40]) for i, place in enumerate(places) for left in range(17)]
        fits = [i for i, view in views if any((view[:, ::step] == square).all() for step in (1, -1))]
        seen.add(fits[0])
    assert seen == set(range(5))


@pytest.mark.parametrize("name", ["pairs", "labels", "drawings", "unpaired"])
def test_a_run_makes_model_files_that_say_what_they_take(name: str, data: Path, tmp_path: Path) -> None:
    recipe: Recipe = {"pairs": PAIRS, "labels": LABELS, "drawings": DRAWINGS, "unpaired": UNPAIRED}[name]
    run = recipe.trainer([data] if name != "drawings" else [data / "trainB"], tmp_path / "run")
    run.run()
    (picture,) = (tmp_path / "run" / "samples").iterdir()
    image = cv2.imread(str(picture))
    assert image is not None
    assert image.shape[0] > 4 * 32
    models = recipe.models(run.average.engine, run.source)
    assert list(models) == (["model", "model-back"] if name == "unpaired" else ["model"])
    for file, (network, spec) in models.items():
        weights.save(network, tmp_path / f"{file}.safetensors", spec)
        again = weights.read_spec(tmp_path / f"{file}.safetensors")
        assert (again.task, again.size) == ("translate", 32)
        assert again.multiple == network.multiple
    inputs = {"pairs": ("image", "noise"), "labels": ("labels",)}.get(name, ("image",))
    assert again.inputs == inputs
    assert again.palette == (PALETTE.lines() if name == "labels" else ())
    assert bool(again.noise) == (name == "pairs")
    assert (again.receptive_field, again.radius > 0) == (
        ("normalised", True) if name == "unpaired" else ("global", False)
    )

    for start in (tmp_path / "run", tmp_path / "model.safetensors"):
        begun = recipe.trainer([data] if name != "drawings" else [data / "trainB"], tmp_path / "next", start=start)
        theirs = (run.engine if start.is_dir() else run.average.engine).product.state_dict()
        assert all(torch.equal(value, theirs[key]) for key, value in begun.engine.product.state_dict().items())


def test_the_two_models_of_a_run_go_two_ways(data: Path, tmp_path: Path) -> None:
    there, back = (UNPAIRED.with_direction(direction).source([data]).batch(0) for direction in ("AtoB", "BtoA"))
    assert [shows_red(batch.x) for batch in (there, back)] == [True, False]
    engine = UNPAIRED.engine("cpu")
    models = UNPAIRED.models(engine, UNPAIRED.source([data]))
    assert [network for network, _ in models.values()] == [engine.x_to_y, engine.y_to_x]


def test_a_run_goes_on_with_squares_of_another_size(data: Path, tmp_path: Path) -> None:
    UNPAIRED.trainer([data], tmp_path / "run").run()
    following = UNPAIRED.with_size(48).trainer([data], tmp_path / "next", start=tmp_path / "run")
    following.run()
    assert isinstance(following.engine, CycleGAN)
    assert {image.shape[-1] for image in following.engine.pool_x.images} == {48}


def test_without_an_adversary_there_is_none() -> None:
    engine = replace(PAIRS, losses=replace(PAIRS.losses, adversarial=0.0)).engine("cpu")
    assert set(engine.players()) == {"generator"}


def test_the_papers_runs_have_the_papers_sizes() -> None:
    """54 and 11 million parameters in the generators, 2.8 million in the judges."""
    with torch.device("meta"):
        engine = RECIPES["pix2pix"].engine("cpu")
        counts = [engine.generator.parameter_count(), engine.discriminator.parameter_count()]
        assert [round(count / 1e6, 1) for count in counts] == [54.4, 2.8]
        engine = RECIPES["cyclegan"].engine("cpu")
        counts = [engine.x_to_y.parameter_count(), engine.judge_y.parameter_count()]
        assert [round(count / 1e6, 1) for count in counts] == [11.4, 2.8]
    for name in ("pix2pix", "cyclegan"):
        recipe = RECIPES[name]
        assert (recipe.size, recipe.resize, recipe.batch, recipe.train.decay, recipe.train.ema) == (256, 286, 1, 0.5, 0)


def test_the_built_in_models_are_small_enough() -> None:
    for name in ("labels2street", "edges2photo", "apple2orange", "day2dusk"):
        with torch.device("meta"):
            assert RECIPES[name].engine("cpu").product.parameter_count() * 4 < 7e6


def test_another_size_has_a_network_that_suits_it() -> None:
    smaller = RECIPES["pix2pix"].with_size(128)
    assert (smaller.size, smaller.resize, smaller.network.depth) == (128, 143, 7)
    assert RECIPES["pix2pix"].with_size(512).network.depth == 8
    assert RECIPES["pix2pix"].with_size(144).network.depth == 4
    assert [RECIPES["cyclegan"].with_size(size).network.blocks for size in (128, 256)] == [6, 9]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: RECIPES["pix2pix"].with_size(100), r"the size is 100; .* multiples of 16 pixels, 24 at least"),
        (lambda: RECIPES["cyclegan"].with_size(126), r"the size is 126; .* multiples of 4"),
        (lambda: RECIPES["cyclegan"].with_size(16), "24 at least"),
        (lambda: RECIPES["cyclegan"].with_direction("AB"), "the direction is AB; it is one of AtoB and BtoA"),
        (lambda: RECIPES["cyclegan"].with_labels("3"), "--labels 3 is not for this recipe, which takes no label maps"),
        (lambda: RECIPES["edges2photo"].with_direction("BtoA"), "--direction BtoA is not for this recipe"),
        (lambda: RECIPES["pix2pix"].with_labels("no.txt"), "no.txt is neither a number of classes nor"),
        (lambda: RECIPES["inpainting"].with_size(64), "--size 64 is not for this recipe"),
    ],
)
def test_changes_that_a_recipe_cannot_have(change: Callable[[], Recipe], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        change()
