"""imgen train of a translation: the folders it is given, both of its models, stopped and resumed, bad input."""

import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import Result

from imgen import weights
from imgen.engines.cyclegan import CycleGAN
from imgen.networks.patchgan import PatchGAN
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.unet import UNet
from imgen_apps.recipes import RECIPES
from imgen_apps.recipes.cyclegan import CycleGANRecipe
from imgen_apps.recipes.pix2pix import Pix2PixRecipe

Imgen = Callable[..., Result]
Refused = Callable[..., None]

OPTIONS = ("--size", 32, "--batch", 2, "--device", "cpu")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes with networks that take no time."""
    critic = PatchGAN.Config(width=2, depth=1)
    unpaired, paired = RECIPES["cyclegan"], RECIPES["pix2pix"]
    assert isinstance(unpaired, CycleGANRecipe)
    assert isinstance(paired, Pix2PixRecipe)
    network = TranslationResNet.Config(width=2, blocks=1)
    monkeypatch.setitem(RECIPES, "cyclegan", replace(unpaired, network=network, critic=critic))
    monkeypatch.setitem(RECIPES, "pix2pix", replace(paired, network=UNet.Config(width=2, depth=4), critic=critic))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with trainA and trainB, label maps of 3 classes and as many photographs."""
    rng = np.random.default_rng(0)
    for name, channels in (("trainA", 1), ("trainB", 3)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(3):
            pixels = rng.integers(0, 3 if channels == 1 else 255, (40, 48, channels), np.uint8)
            cv2.imwrite(str(tmp_path / "data" / name / f"{number}.png"), pixels)
    return tmp_path / "data"


def test_cyclegan_stopped_and_resumed_equals_a_run_that_was_never_stopped(
    data: Path, tmp_path: Path, imgen: Imgen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pools too; and both ways have a file."""
    command = ["train", "cyclegan", "--data", data / "trainA", "--data", data / "trainB", "--steps", 5, *OPTIONS]
    result = imgen(*command, "--out", tmp_path / "whole", "--name", "leaves", "--licence", "CC0-1.0")
    assert result.exit_code == 0, result.output
    assert f"imgen translate image.png --model {tmp_path / 'whole' / 'model.safetensors'}" in result.stdout
    step = CycleGAN.step

    def interrupted(self: CycleGAN, batches: Iterator[Any], t: int) -> Any:
        if t == 2:
            signal.raise_signal(signal.SIGINT)
        yield from step(self, batches, t)

    with monkeypatch.context() as patch:
        patch.setattr(CycleGAN, "step", interrupted)
        assert imgen(*command, "--out", tmp_path / "stopped").exit_code == 130
    assert imgen(*command, "--out", tmp_path / "stopped", "--resume").exit_code == 0
    for name, spec_name in (("model", "leaves"), ("model-back", "leaves-back")):
        files = [tmp_path / folder / f"{name}.safetensors" for folder in ("whole", "stopped")]
        whole, stopped = (weights.load(file).state_dict() for file in files)
        assert all(bool((value == stopped[key]).all()) for key, value in whole.items())
        spec = weights.read_spec(files[0])
        assert (spec.name, spec.licence, spec.size) == (spec_name, "CC0-1.0", 32)
        assert spec.data == "trainA, trainB"


def test_pix2pix_takes_label_maps_and_either_direction(data: Path, tmp_path: Path, imgen: Imgen) -> None:
    for name, words in (("labels", ("--labels", 3)), ("back", ("--direction", "BtoA"))):
        command = ("train", "pix2pix", "--data", data, "--steps", 1, *OPTIONS, *words, "--out", tmp_path / name)
        result = imgen(*command)
        assert result.exit_code == 0, result.output
    labels, back = (weights.read_spec(tmp_path / name / "model.safetensors") for name in ("labels", "back"))
    assert (labels.inputs, labels.palette) == (("labels", "noise"), ("0", "1", "2"))
    assert (back.inputs, back.palette) == (("image", "noise"), ())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pix2pix", "--data", "A", "--data", "B", "--labels", "2"), 1, "of no class, such as the value 2 at"),
        (
            ("pix2pix", "--data", "B", "--data", "A", "--labels", "3"),
            1,
            "trainB/0.png: is in colours; name a file",
        ),
        (("pix2pix", "--data", "A", "--data", "B", "--labels", "no.txt"), 2, "no.txt is neither a number of classes"),
        (
            ("pix2pix", "--data", "A", "--data", "FEWER"),
            2,
            "FEWER holds 2 images; without a partner: ",
        ),
        (("pix2pix", "--data", "A", "--data", "ONE"), 2, "ONE/0.png is the only image in"),
        (("cyclegan", "--data", "A", "--data", "ONE"), 2, "ONE/0.png is the only image in"),
        (("cyclegan", "--data", "A"), 2, "trainA holds no two domains; give --data A --data B"),
        (("cyclegan", "--data", "A", "--data", "B", "--data", "ONE"), 2, "ONE is a folder too many"),
        (("cyclegan", "--data", "A", "--data", "nowhere"), 2, "nowhere is not a folder"),
        (("cyclegan", "--data", "A", "--data", "B", "--direction", "BA"), 2, "it is one of AtoB and BtoA"),
        (
            ("cyclegan", "--data", "A", "--data", "B", "--size", "30"),
            2,
            "the size is 30; the networks of this",
        ),
        (("cyclegan", "--data", "A", "--data", "B", "--labels", "3"), 2, "takes no label maps"),
        (("pix2pixhd", "--data", "A", "--data", "B", "--direction", "BtoA"), 2, "has but one"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...], code: int, said: str, data: Path, tmp_path: Path, imgen: Imgen, refused: Refused
) -> None:
    names = {"A": data / "trainA", "B": data / "trainB", "FEWER": tmp_path / "FEWER", "ONE": tmp_path / "ONE"}
    for name, count in (("FEWER", 2), ("ONE", 1)):
        names[name].mkdir()
        for number in range(count):
            shutil.copy(names["B"] / f"{number}.png", names[name])
    chosen = [str(names.get(word, word)) for word in words]
    result = imgen("train", *chosen, "--device", "cpu", "--out", tmp_path / "run")
    refused(result, code, said)
    assert not (tmp_path / "run").exists()
