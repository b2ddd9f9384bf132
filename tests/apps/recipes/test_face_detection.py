"""The recipe end to end on drawn pictures: scenes, a run, what can begin with it, its model file."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from imgen import weights
from imgen.errors import UsageError
from imgen.networks.face_detector import FaceDetector
from imgen.runtime import load
from imgen.training.config import TrainConfig
from imgen_apps.face_finding import FaceFinder
from imgen_apps.recipes.face_detection import RECIPES

SMALL = replace(
    RECIPES["face-detection"],
    train=TrainConfig(steps=2, log_every=1, picture_every=2),
    network=FaceDetector.Config(width=8, blocks=1),
    side=64,
    batch=3,
)


def test_scenes_depend_on_seed_and_number_alone(photos: Path) -> None:
    source = SMALL.source([photos, photos])
    scenes, again, other = source.batch(1), source.batch(1), source.batch(0)
    assert all(torch.equal(a, b) for a, b in zip(scenes, again, strict=True))
    assert not torch.equal(scenes.image, other.image)
    assert (scenes.image.shape, scenes.faces.shape) == ((3, 3, 64, 64), (3, 4, 5))
    assert 0 <= scenes.image.min() < scenes.image.max() <= 1
    assert SMALL.with_batch(5).source([photos, photos]).batch(0).image.shape[0] == 5


def test_one_folder_is_not_enough(photos: Path) -> None:
    with pytest.raises(UsageError, match="give --data FACES --data PHOTOS"):
        SMALL.source([photos])


def test_a_run_its_continuation_and_what_finds_faces_with_it(photos: Path, tmp_path: Path) -> None:
    run = SMALL.trainer([photos, photos], tmp_path / "run")
    run.run()
    assert list((tmp_path / "run" / "samples").iterdir())
    network = run.average.engine.product
    spec = SMALL.spec(network)
    assert (spec.task, spec.multiple, spec.radius, spec.outputs) == (
        "detect-face",
        8,
        network.radius,
        ("score", "pose"),
    )
    weights.save(network, tmp_path / "model.safetensors", replace(spec, licence="CC0-1.0"))
    for start in ("run", "model.safetensors"):
        begun = SMALL.trainer([photos, photos], tmp_path / "second", start=tmp_path / start)
        state = begun.engine.product.state_dict()
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    finder = FaceFinder(load(tmp_path / "model.safetensors"), sure=0.0)
    assert finder((torch.rand(60, 80, 3) * 255).byte().numpy())  # untrained, and sure of nothing: all are faces
