"""What every engine of the table must keep, at tiny sizes: isolation, exact resumption, shapes and ranges."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
import torch

from imgen.data.batch import Batch
from imgen.engines import ENGINES
from imgen.engines.engine import Engine
from imgen.errors import UsageError
from imgen.networks.scale import Shape
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer
from imgen.training.players import Players

IMAGES, POINTS = Shape(8, 3, 3), Shape(0, 2, 3)
TINY = {
    "width": 4,
    "code": 4,
    "noise": 4,
    "categories": 3,
    "images": 32,
    "autoencoder_steps": 1,
    "moment_steps": 1,
    "search_steps": 2,
}
CPU = torch.device("cpu")
names = pytest.mark.parametrize("name", ENGINES)


@pytest.fixture(autouse=True)
def _few_critic_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """WGAN begins with a hundred a step, which is time and nothing else here."""
    monkeypatch.setattr("imgen.engines.wgan.critic_steps", lambda t, steps: 2)


class Drawn:
    """Batches of 8, whose index stays below 32."""

    def __init__(self, shape: Shape) -> None:
        self.size = (8, shape.channels, shape.size, shape.size) if shape.size else (8, shape.channels)

    def batch(self, number: int) -> Batch:
        generator = torch.Generator().manual_seed(number)
        image = torch.rand(self.size, generator=generator) * 2 - 1
        return Batch(image, torch.arange(8) % 3, torch.arange(8) + 8 * (number % 4))

    def __iter__(self):
        number = 0
        while True:
            yield self.batch(number)
            number += 1


def config_of(name: str) -> Any:
    config = ENGINES[name].Config
    # A type other than the table's: "noise" is a deviation in one method and a size in another.
    tiny = {f.name: TINY[f.name] for f in fields(config) if f.name in TINY and type(f.default) is int}
    return config(**tiny)


def build(name: str, shape: Shape = IMAGES) -> Engine:
    torch.manual_seed(0)
    return ENGINES[name].build(shape, config_of(name))


def generates(engine: Engine) -> bool:
    return hasattr(engine.config, "code")


@names
def test_every_update_changes_its_own_player_alone(name: str) -> None:
    engine, source, moved = build(name), Drawn(IMAGES), {}
    players = Players(engine, TrainConfig(steps=3), CPU)
    owned = {key: {id(p) for p in players.parameters(key)} for key in players.optimizers}
    before: list[torch.Tensor] = []

    def remember(*_: object) -> None:
        before[:] = [p.detach().clone() for p in engine.parameters()]

    def compare(player: str) -> None:
        changed = {id(p) for p, old in zip(engine.parameters(), before, strict=True) if not torch.equal(p, old)}
        assert changed <= owned[player], player
        moved[player] = moved.get(player, set()) | changed

    for key, optimizer in players.optimizers.items():
        optimizer.register_step_pre_hook(remember)
        optimizer.register_step_post_hook(lambda *_, key=key: compare(key))
    batches = iter(source)
    for t in range(3):
        players.step(batches, t)
    assert moved.keys() == players.optimizers.keys()
    assert all(moved.values())
    assert all(abs(loss) < float("inf") for loss in players.losses().values())
    assert all(abs(term) < float("inf") for term in engine.terms().values())
    assert all(p.grad is None for p in engine.parameters())


@names
@pytest.mark.parametrize("shape", [IMAGES, POINTS], ids=["images", "points"])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(name: str, shape: Shape, tmp_path: Path) -> None:
    def trainer(folder: str, steps: int) -> Trainer:
        config = TrainConfig(steps=steps, log_every=2, save_every=100)
        return Trainer(build(name, shape), Drawn(shape), config, tmp_path / folder)

    whole, first, second = trainer("whole", 5), trainer("cut", 3), trainer("cut", 5)
    torch.manual_seed(1)
    whole.run()
    torch.manual_seed(1)
    first.run()
    torch.manual_seed(2)  # whatever happens in between
    second.resume()
    second.run()
    for key, value in whole.engine.state_dict().items():
        assert torch.equal(value, second.engine.state_dict()[key]), key
    for key, value in whole.average.engine.state_dict().items():
        assert torch.equal(value, second.average.engine.state_dict()[key]), key
    assert whole.drawn == second.drawn


@names
@pytest.mark.parametrize("config", [{"accumulate": 2}, {"precision": "bf16"}, {"clip": 1.0}], ids=str)
def test_the_ways_to_train_are_open_to_all(name: str, config: dict[str, Any]) -> None:
    engine = build(name)
    players = Players(engine, TrainConfig(steps=2, **config), CPU)
    batches = iter(Drawn(IMAGES))
    for t in range(2):
        players.step(batches, t)
    assert all(abs(loss) < float("inf") for loss in players.losses().values())


@names
@pytest.mark.parametrize("shape", [IMAGES, POINTS], ids=["images", "points"])
def test_samples_have_the_shape_and_range_of_the_data(name: str, shape: Shape) -> None:
    engine = build(name, shape).eval()
    if not generates(engine):
        with pytest.raises(UsageError, match="no prior"):
            engine.sample(5)
        return
    sample = engine.sample(5)
    assert sample.shape == (5, *Drawn(shape).size[1:])
    assert not sample.requires_grad
    if shape.size:
        assert sample.min() >= 0
        assert sample.max() <= 1
    assert engine.sample(3, torch.tensor([0, 1, 2])).shape == (3, *Drawn(shape).size[1:])


@names
def test_decoding_is_the_product_brought_to_0_to_1(name: str) -> None:
    engine = build(name).eval()
    if not generates(engine):
        return
    code, label = engine.prior(4), torch.arange(4) % 3
    assert code.shape == (4, engine.config.code)
    raw = engine.product(code, label)
    torch.testing.assert_close(engine.decode(code, label), (raw + 1) / 2 if engine.product.range == "signed" else raw)


@names
def test_what_has_an_encoder_reconstructs_and_interpolates(name: str) -> None:
    engine, (image, label, _) = build(name).eval(), Drawn(IMAGES).batch(0)
    if type(engine).encode is Engine.encode:
        with pytest.raises(UsageError, match=type(engine).__name__):
            engine.encode(image, label)
        return
    code = engine.encode(image, label)
    assert code.shape == (8, engine.config.code)
    again = engine.reconstruct(image, label)
    assert again.shape == image.shape
    assert again.min() >= 0
    assert again.max() <= 1
    between = engine.interpolate(image[:2], image[2:4], 3, label[:2])
    assert between.shape == (2, 3, *image.shape[1:])


@names
def test_a_config_survives_json(name: str) -> None:
    config = config_of(name)
    assert type(config)(**json.loads(json.dumps(asdict(config)))) == config
