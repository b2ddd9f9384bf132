import json
from pathlib import Path

import pytest
import torch

from imgen import weights
from imgen.errors import ModelError, UsageError
from imgen.training import run
from imgen.training.config import TrainConfig

SHAPES = {"names": ["toy:shapes"], "size": 8, "batch": 4}
RING = {"names": ["toy:ring"], "batch": 4}
FEW = TrainConfig(steps=4, log_every=2, picture_every=2, save_every=2)
TINY = {"width": 4, "code": 4}


@pytest.fixture
def vae(tmp_path: Path) -> Path:
    run.create(tmp_path / "mine", engine="vae", data=SHAPES, settings=TINY, train=FEW).run()
    return tmp_path / "mine"


def test_a_run_is_a_folder_that_can_be_gone_on_with_and_used(vae: Path) -> None:
    assert {p.name for p in vae.iterdir()} == {"config.json", "log.jsonl", "samples", "checkpoints", "tensorboard"}
    again = run.resume(vae, steps=6)
    assert again.step == 4
    again.run()
    before = torch.get_rng_state()
    engine = run.load(vae)
    assert torch.equal(torch.get_rng_state(), before)
    assert not engine.training
    average = again.average.engine.state_dict()
    assert all(torch.equal(value, average[key]) for key, value in engine.state_dict().items())
    assert run.read(vae).train.steps == 6
    assert run.read(vae).settings["code"] == 4


def test_finish_writes_the_product_and_its_card(vae: Path) -> None:
    path = run.finish(vae)
    spec, network, engine = weights.read_spec(path), weights.load(path), run.load(vae)
    assert (spec.name, spec.task, spec.inputs, spec.size, spec.code) == ("mine", "generate", ("code",), 8, 4)
    code = engine.prior(3)
    assert torch.equal(network(code), engine.product(code))
    card = (vae / "card.md").read_text()
    assert "# mine" in card
    assert "arXiv:1312.6114" in card
    assert "toy:shapes" in card


def test_runs_on_points_and_without_a_code_are_runs_too(tmp_path: Path) -> None:
    run.create(tmp_path / "gan", engine="gan", data=RING, settings=TINY, train=FEW, name="ring").run()
    assert weights.read_spec(run.finish(tmp_path / "gan")).size == 0
    assert run.load(tmp_path / "gan").sample(3).shape == (3, 2)


def test_equal_seeds_give_equal_runs(tmp_path: Path) -> None:
    states = []
    for name in ("a", "b"):
        torch.manual_seed(len(states))
        trainer = run.create(tmp_path / name, engine="gan", data=RING, settings=TINY, train=FEW)
        trainer.run()
        states.append(trainer.engine.state_dict())
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_bad_input_is_one_line_and_leaves_no_folder(vae: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    for match, changes in (
        ("did you mean 'vae'", {"engine": "vea"}),
        ("did you mean 'width'", {"settings": {"widht": 4}}),
        ("width of vae is of type int, got 'four'", {"settings": {"width": "four"}}),
        ("power of two", {"data": {**SHAPES, "size": 9}}),
        ("aegan|autoencoder_steps", {"engine": "aegan"}),
    ):
        with pytest.raises(UsageError, match=match) as caught:
            run.create(new, **{"engine": "vae", "data": SHAPES, "train": FEW, **changes})
        assert "\n" not in str(caught.value)
        assert not new.exists()
    with pytest.raises(UsageError, match="holds a run already"):
        run.create(vae, engine="vae", data=SHAPES)


def test_what_is_no_run_or_another_one_is_refused(vae: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not the folder of a run"):
        run.load(tmp_path)
    stored = json.loads((vae / "config.json").read_text())
    (vae / "config.json").write_text(json.dumps({**stored, "settings": {**stored["settings"], "width": 8}}))
    with pytest.raises(ModelError, match="with width 4, this one has 8"):
        run.resume(vae)
    with pytest.raises(ModelError, match="networks of other sizes"):
        run.load(vae)
    (vae / "config.json").write_text(json.dumps({**stored, "engine": "wae-mmd", "settings": {}}))
    with pytest.raises(ModelError, match="with engine VAE, this one has WAEMMD"):
        run.resume(vae)
    (vae / "config.json").write_text('{"steps": 3}')
    with pytest.raises(ModelError, match="not the configuration of an engine's run"):
        run.read(vae)
