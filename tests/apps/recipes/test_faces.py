"""The recipes of face editing end to end on drawn faces."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import imgen
from imgen import weights
from imgen.errors import ModelError, UsageError
from imgen.networks.face_editor import FaceEditor
from imgen.training.config import TrainConfig
from imgen_apps.face_model import FaceModel
from imgen_apps.recipes.faces import RECIPES, IdentityRecipe, IPGANRecipe
from imgen_apps.recipes.people import ONE_IN, people_in, reached, same_person_threshold, way

TRAIN = TrainConfig(steps=2, log_every=1, picture_every=2)
PEOPLE = 2 * ONE_IN
IDENTITY = replace(RECIPES["face-identity"], train=TRAIN, size=16, batch=8, code=4, width=2, augment=("flip",))
SMALL = {"train": TRAIN, "size": 16, "batch": 4, "code": 4, "width": 2, "attributes": 6}
FACES = replace(RECIPES["faces"], **SMALL, encoder=2, generator=2, critic=2)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twice as many people as one is kept apart of, three discs each; a third of them smile."""
    folder = tmp_path_factory.mktemp("faces")
    lines = ["file,identity,smile"]
    for person in range(PEOPLE):
        (folder / "people" / f"{person:02d}").mkdir(parents=True)
        for number in range(3):
            image = np.full((20, 20, 3), 10 * person, np.uint8)
            cv2.circle(image, (10, 9 + number), 5, (200, 8 * person, 90), -1)
            cv2.imwrite(str(folder / "people" / f"{person:02d}" / f"{number}.png"), image)
            lines.append(f"{person:02d}/{number}.png,{person:02d},{'' if number == 2 else number}")
    (folder / "people" / "index.csv").write_text("\n".join(lines) + "\n")
    (folder / "more").mkdir()
    for number in range(5):
        cv2.imwrite(str(folder / "more" / f"{number}.png"), np.full((20, 20, 3), 40 * number, np.uint8))
    return folder


@pytest.fixture(scope="module")
def identity(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of face-identity."""
    folder = tmp_path_factory.mktemp("identity")
    IDENTITY.trainer([faces / "people", faces / "more"], folder).run()
    return folder


def test_people_are_kept_apart_and_others_have_no_name(faces: Path) -> None:
    learnt, apart = people_in([faces / "people", faces / "more"])
    assert len(learnt.classes) == PEOPLE - 2
    assert len(apart.paths) == 2 * 3
    assert {path.parent.name for path in apart.paths} == {"11", "23"}
    assert not {path.parent for path in apart.paths} & {path.parent for path in learnt.paths}
    by_name = {name: number for number, name in enumerate(learnt.classes)}
    for path, label in zip(learnt.paths, learnt.labels, strict=True):
        assert label == by_name.get(path.parent.name, -1)
    assert (learnt.labels == -1).sum() == 5


def test_a_threshold_parts_two_kinds_of_pairs() -> None:
    angles = torch.tensor([0.0, 0.1, 1.5, 1.62, 3.0, 3.3])
    codes = torch.stack([angles.cos(), angles.sin()], 1)
    threshold = same_person_threshold(codes, np.array([0, 0, 1, 1, 2, 2]))
    assert np.cos(1.38) < threshold < np.cos(0.3)
    with pytest.raises(UsageError, match="kept apart"):
        same_person_threshold(codes, np.arange(6))


def test_a_direction_leads_from_a_clear_no_to_a_clear_yes() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(2000) % 2 == 0
    spread = torch.tensor([0.5, 1.0, 1.0, 1.0, 3.0])
    codes = torch.randn(2000, 5, generator=generator) * spread
    codes[:, 0] += 2.0 * truth
    wrong = torch.rand(2000, generator=generator) < 0.2
    found, rule = way(codes, truth ^ wrong)
    plain = codes[truth ^ wrong].mean(0) - codes[~(truth ^ wrong)].mean(0)
    assert plain[0] < 1.4  # of 2, for the labels that are wrong
    assert 2.0 < found[0] < 3.8
    assert (found / spread)[1:].abs().max() < 0.35
    places = codes @ rule[:-1] + rule[-1]
    assert torch.allclose((codes + 0.5 * found) @ rule[:-1] + rule[-1], places + 0.5, atol=1e-5)
    says = truth ^ wrong
    assert places[says].topk(100).values.mean() == pytest.approx(1, abs=0.01)  # of the clear yes
    assert places[~says].topk(100, largest=False).values.mean() == pytest.approx(0, abs=0.01)


def test_a_network_that_goes_half_of_a_way_is_asked_for_twice_as_much() -> None:
    """Of the codes that its pictures show, the first is half of what they were made from."""
    step, before = torch.tensor([3.0, 0.0]), torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    half = torch.tensor([0.5, 1.0])
    assert reached(before * half, (before + step) * half, step) == pytest.approx(0.5)
    assert reached(before * half, (before + 2 * step) * half, step) == pytest.approx(1.0)


def test_a_run_makes_a_model_that_edits(faces: Path, identity: Path, tmp_path: Path) -> None:
    data = [faces / "people", faces / "more"]
    trainer = FACES.trainer(data, tmp_path / "run", start=identity)
    trainer.run()
    assert (tmp_path / "run" / "samples").is_dir()
    ((network, spec),) = FACES.models(trainer.average.engine, trainer.source).values()
    assert isinstance(network, FaceEditor)
    weights.save(network, tmp_path / "face.safetensors", spec)
    model = FaceModel(imgen.load_model(tmp_path / "face.safetensors"))
    assert set(model.directions) == set(model.model.spec.face["places"]) == {"smile"}
    assert model.directions["smile"].shape == model.frontal.shape == (1, 6)
    assert -1 <= model.threshold <= 1
    crops = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)
    assert model.decode(model.encode(crops)).shape == crops.shape


def test_what_knows_faces_apart_is_taken_over_and_stays(faces: Path, identity: Path, tmp_path: Path) -> None:
    trainer = FACES.trainer([faces / "people"], tmp_path, start=identity)
    engine = IDENTITY.fitted([faces / "people"]).engine("cpu")
    first = trainer.engine.recogniser.state_dict()
    trainer.run()
    after = trainer.engine.recogniser.state_dict()
    assert all(torch.equal(first[name], after[name]) for name in first)
    assert trainer.engine.classifier is trainer.engine.recogniser
    engine.load_state_dict({f"network.{name}": value for name, value in after.items()})


def test_a_run_goes_on_with_another_of_its_kind(faces: Path, identity: Path, tmp_path: Path) -> None:
    FACES.trainer([faces / "people"], tmp_path / "a", start=identity).run()
    trainer = FACES.trainer([faces / "people"], tmp_path / "b", start=tmp_path / "a")
    wanted = torch.load(tmp_path / "a" / "checkpoints" / "last.pt", weights_only=True)["networks"]
    assert all(torch.equal(value, wanted[name]) for name, value in trainer.engine.state_dict().items())


def test_a_teacher_says_what_codes_to_give(faces: Path, tmp_path: Path) -> None:
    teacher = tmp_path / "teacher.onnx"
    matrix = np.random.default_rng(0).standard_normal((3 * 16 * 16, 4)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["image"], ["flat"]), helper.make_node("MatMul", ["flat", "matrix"], ["code"])],
        "teacher",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("code", TensorProto.FLOAT, [1, 4])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), teacher)
    recipe = IDENTITY.with_teacher(teacher)
    source = recipe.source([faces / "people"])
    batch = source.batch(3)
    assert batch.code.shape == (8, 4)
    assert torch.equal(batch.code, source.batch(3).code)
    trainer = recipe.trainer([faces / "people"], tmp_path / "run")
    trainer.run()
    assert "agreement" in trainer.engine.terms()


def test_what_cannot_be(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give --start RUN of face-identity"):
        FACES.trainer([faces / "people"], tmp_path)
    with pytest.raises(UsageError, match="holds 0 people"):
        IDENTITY.trainer([faces / "more"], tmp_path)
    with pytest.raises(UsageError, match="batch is 1"):
        FACES.with_batch(1)
    with pytest.raises(UsageError, match="power of two"):
        FACES.with_size(100)
    with pytest.raises(ModelError):
        FACES.trainer([faces / "people"], tmp_path, start=faces / "people" / "index.csv")
    assert isinstance(IDENTITY, IdentityRecipe)
    assert isinstance(FACES, IPGANRecipe)
