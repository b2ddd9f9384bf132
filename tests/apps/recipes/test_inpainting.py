"""The recipe end to end on drawn pictures: a run, its resumption, its model file, its export."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from imgen import weights
from imgen.data.photos import Photos
from imgen.errors import ModelError
from imgen.networks.inpainter import Inpainter
from imgen.networks.patchgan import PatchGAN
from imgen.training.config import TrainConfig
from imgen_apps.recipes.inpainting import InpaintingRecipe, RandomHoles

SMALL = InpaintingRecipe(
    train=TrainConfig(steps=4, log_every=1, picture_every=2),
    network=Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2),
    critic=PatchGAN.Config(channels=4, width=4),
    stages=((0.0, 32, 2), (0.5, 48, 1)),
)


def test_batches_depend_on_seed_and_number_alone(photos: Path) -> None:
    source = RandomHoles(Photos([photos]), SMALL)
    one, again = source.batch(1), source.batch(1)
    assert torch.equal(one.image, again.image)
    assert torch.equal(one.mask, again.mask)
    assert not torch.equal(one.image, source.batch(0).image)
    assert one.image.shape == (2, 3, 32, 32)
    assert source.batch(2).image.shape == (1, 3, 48, 48)  # the second stage
    assert RandomHoles(source.photos, SMALL.with_batch(6)).batch(0).mask.shape == (6, 1, 32, 32)


def test_a_run_leaves_pictures_and_a_checkpoint_and_goes_on(photos: Path, tmp_path: Path) -> None:
    recipe = replace(SMALL, losses=replace(SMALL.losses, adversary_from=1))
    run = recipe.trainer([photos], tmp_path)
    run.run()
    assert {p.name for p in tmp_path.iterdir()} == {"checkpoints", "config.json", "log.jsonl", "samples", "tensorboard"}
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == ["step-000002.png", "step-000004.png"]
    more = replace(recipe, train=replace(recipe.train, steps=5)).trainer([photos], tmp_path)
    more.resume()
    more.run()
    assert more.step == 5


def test_a_run_can_begin_with_the_networks_of_another(photos: Path, tmp_path: Path) -> None:
    first = SMALL.trainer([photos], tmp_path / "first")
    first.run()
    second = SMALL.trainer([photos], tmp_path / "second", start=tmp_path / "first")
    average = first.average.engine.product.state_dict()
    assert all(torch.equal(value, average[key]) for key, value in second.engine.product.state_dict().items())
    assert second.step == 0
    network = first.average.engine.product
    weights.save(network, tmp_path / "model.safetensors", SMALL.spec(network))
    third = SMALL.trainer([photos], tmp_path / "third", start=tmp_path / "model.safetensors")
    assert all(torch.equal(value, average[key]) for key, value in third.engine.product.state_dict().items())
    larger = replace(SMALL, network=replace(SMALL.network, half=8))
    for start in ("first", "model.safetensors"):
        with pytest.raises(ModelError, match="of other sizes"):
            larger.trainer([photos], tmp_path / "x", start=tmp_path / start)
    with pytest.raises(ModelError, match="missing"):
        SMALL.trainer([photos], tmp_path / "x", start=tmp_path / "missing.safetensors")


@pytest.mark.slow
def test_train_then_use_then_export_on_the_command_line(photos: Path, tmp_path: Path) -> None:
    from imgen.cli.main import app

    run, photo = tmp_path / "run", next(iter(photos.iterdir()))
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), cv2.rectangle(np.zeros((72, 96), np.uint8), (20, 20), (40, 40), 255, -1))

    def call(*words: str) -> None:
        result = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert result.exit_code == 0, result.output

    call("train", "inpainting", "--data", str(photos), "--out", str(run), "--steps", "3", "--device", "cpu")
    model = run / "model.safetensors"
    assert weights.read_spec(model).task == "inpaint"
    call("inpaint", str(photo), "--mask", str(mask), "--model", str(model), "-o", str(tmp_path / "a.png"))
    call("export", str(model), str(tmp_path / "model.onnx"))
    call(
        "inpaint",
        str(photo),
        "--mask",
        str(mask),
        "--model",
        str(tmp_path / "model.onnx"),
        "-o",
        str(tmp_path / "b.png"),
    )
    one, two = (cv2.imread(str(tmp_path / name)).astype(int) for name in ("a.png", "b.png"))
    assert np.abs(one - two).max() <= 1
