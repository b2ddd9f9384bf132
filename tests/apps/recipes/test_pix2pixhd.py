"""The recipes of pix2pixHD end to end on drawn scenes: squares with instances, two runs, a model file with styles."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from imgen import weights
from imgen.data.label_maps import Palette, boundaries
from imgen.engines.pix2pixhd import Pix2PixHD, Pix2PixHDConfig
from imgen.errors import ModelError, UsageError
from imgen.networks.pix2pixhd import LocalEnhancer, MultiscaleDiscriminator
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.vgg import HedVGG16
from imgen.training.config import TrainConfig
from imgen_apps.recipes.pix2pixhd import RECIPES, Pix2PixHDRecipe

COARSE = replace(
    RECIPES["labels2street-hd"],
    train=TrainConfig(steps=2, log_every=1, picture_every=2),
    network=TranslationResNet.Config(width=4, blocks=1, downs=2),
    critic=MultiscaleDiscriminator.Config(width=4, depth=1, scales=2),
    encoder=TranslationResNet.Config(width=2, blocks=0, downs=2),
    palette=Palette.numbered(4),
    size=32,
    resize=36,
)
FINE = replace(
    COARSE,
    losses=replace(COARSE.losses, held_steps=1),
    network=LocalEnhancer.Config(inputs=0, width=2, blocks=1, coarse_blocks=1, coarse_downs=2),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout of Cityscapes: three scenes of 40 x 60, with two cars that touch; class 3 is not to be seen."""
    folder = tmp_path_factory.mktemp("scenes")
    rng = np.random.default_rng(0)
    for name in ("train_label", "train_inst", "train_img"):
        (folder / name).mkdir()
    for number in range(3):
        label, thing = np.zeros((40, 60), np.uint8), np.zeros((40, 60), np.uint16)
        label[20:], thing[20:] = 1, 1
        label[15:30, 20:40] = 2
        thing[15:30, 20:30], thing[15:30, 30:40] = 2000, 2001
        photo = np.zeros((40, 60, 3), np.uint8)
        for each in np.unique(thing):
            photo[thing == each] = rng.integers(0, 255, 3)
        cv2.imwrite(str(folder / "train_label" / f"{number}_gtFine_labelIds.png"), label)
        cv2.imwrite(str(folder / "train_inst" / f"{number}_gtFine_instanceIds.png"), thing)
        cv2.imwrite(str(folder / "train_img" / f"{number}_leftImg8bit.png"), photo)
    return folder


def test_squares_show_labels_boundaries_instances_and_photograph_of_one_place(data: Path) -> None:
    recipe = replace(COARSE, batch=3, resize=40)
    scenes, again = recipe.source([data]).batch(2), recipe.source([data]).batch(2)
    assert all(map(torch.equal, scenes, again))
    assert [tuple(part.shape) for part in scenes] == [(3, channels, 32, 32) for channels in (4, 1, 1, 3)]
    assert torch.equal(scenes.labels.argmax(1, keepdim=True) == 2, scenes.instances >= 2000)
    for thing, edge, photo in zip(scenes.instances[:, 0], scenes.boundaries[:, 0], scenes.photo, strict=True):
        assert np.array_equal(edge.numpy(), boundaries(thing.numpy()))
        assert all(len(photo[:, thing == each].unique(dim=1)[0]) == 1 for each in thing.unique())


def test_without_instance_maps_a_class_is_an_instance(data: Path) -> None:
    folders = [data / name for name in ("train_label", "train_img")]
    scenes = COARSE.source(folders).batch(0)
    assert torch.equal(scenes.instances[:, 0], scenes.labels.argmax(1))


def test_a_run_makes_a_model_file_with_styles_and_the_next_begins_with_it(data: Path, tmp_path: Path) -> None:
    run = COARSE.trainer([data], tmp_path / "coarse")
    run.run()
    assert list((tmp_path / "coarse" / "samples").iterdir())
    ((name, (network, spec)),) = COARSE.models(run.average.engine, run.source).items()
    weights.save(network, tmp_path / f"{name}.safetensors", spec)
    spec = weights.read_spec(tmp_path / "model.safetensors")
    assert (spec.inputs, spec.boundaries, spec.palette) == (("labels",), True, ("0", "1", "2", "3"))
    assert (spec.task, spec.receptive_field, spec.radius, spec.multiple) == (
        "translate",
        "normalised",
        network.radius,
        4,
    )
    counts = [len(styles) for styles in spec.styles]
    assert counts[3] == 1  # of a class that is nowhere
    assert min(counts[:3]) > 1
    assert {len(style) for styles in spec.styles for style in styles} == {3}

    average = run.average.engine
    assert isinstance(average, Pix2PixHD)
    for start in (tmp_path / "coarse", tmp_path / "model.safetensors"):
        fine = FINE.trainer([data], tmp_path / "fine", start=start)
        assert isinstance(fine.engine, Pix2PixHD)
        coarse = fine.engine.generator.get_submodule("coarse")
        assert same(coarse, average.generator)
        assert same(fine.engine.encoder, average.encoder) == start.is_dir()
    fine.run()
    for start in (tmp_path / "fine", tmp_path / "coarse"):
        recipe: Pix2PixHDRecipe = FINE if start.name == "fine" else COARSE
        begun = recipe.trainer([data], tmp_path / "again", start=start)
        theirs = fine.engine if start.name == "fine" else run.engine
        assert same(begun.engine, theirs)
    with pytest.raises(ModelError, match="is of networks of other sizes"):
        replace(FINE, palette=Palette.numbered(5)).trainer([data], tmp_path / "other", start=tmp_path / "coarse")


def same(one: torch.nn.Module | None, other: torch.nn.Module | None) -> bool:
    assert one is not None
    assert other is not None
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


def test_the_papers_runs_have_the_papers_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HedVGG16, "pretrained", lambda: HedVGG16(1))
    with torch.device("meta"):
        engine = RECIPES["pix2pixhd"].engine("meta")
        assert engine.generator.parameter_count() // 10**6 == 182
        assert len(engine.discriminator.judges) == 3
        fine = RECIPES["pix2pixhd-fine"].engine("meta")
        assert isinstance(fine.generator, LocalEnhancer)
        assert fine.generator.coarse.parameter_count() == engine.generator.parameter_count()
        small = RECIPES["labels2street-hd"].engine("cpu").product
        assert small.parameter_count() * 4 < 7e6
    assert Pix2PixHDConfig().perceptual == 10
    assert RECIPES["pix2pixhd-fine"].multiple == 32


def test_a_size_must_suit_both_networks() -> None:
    assert COARSE.with_size(64).resize == 72
    with pytest.raises(UsageError, match=r"the size is 66; .* multiples of 4 pixels, 12 at least"):
        COARSE.with_size(66)
    with pytest.raises(UsageError, match="--direction BtoA is not for this recipe"):
        COARSE.with_direction("BtoA")
