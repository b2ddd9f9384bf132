import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from imgen.engines.engine import Engine, Player, Updates
from imgen.errors import ImgenError, ModelError, UsageError
from imgen.training.config import TrainConfig
from imgen.training.ema import MovingAverage
from imgen.training.loop import Trainer


class Batch(NamedTuple):
    x: Tensor


class Numbers:
    def batch(self, index: int) -> Batch:
        return Batch(torch.randn(8, 2, generator=torch.Generator().manual_seed(index)))


class Duel(Engine):
    """A two-player toy that uses torch's random state and draws a second batch now and then."""

    def __init__(self, together: bool = False) -> None:
        super().__init__()
        self.generator, self.critic = nn.Linear(2, 2), nn.Linear(2, 1)
        self.together, self.seen = together, []

    def players(self) -> dict[str, Player]:
        return {"generator": Player(self.generator, 1e-2), "critic": Player(self.critic, 1e-2)}

    @property
    def product(self) -> nn.Module:
        return self.generator

    def step(self, batches: Iterator[Batch], t: int) -> Updates:
        real = next(batches).x
        if t % 3 == 0:
            real = real + next(batches).x
        fake = self.generator(torch.randn_like(real))
        critic, generator = self.critic(fake).mean() - self.critic(real).mean(), -self.critic(fake).mean()
        if self.together:
            yield {"critic": critic, "generator": generator}
            return
        before = [p.clone() for p in self.generator.parameters()]
        yield "critic", critic
        self.seen.append(all(torch.equal(a, b) for a, b in zip(before, self.generator.parameters(), strict=True)))
        yield "generator", -self.critic(self.generator(torch.randn_like(real))).mean()


def trainer(folder: Path, steps: int, together: bool = False) -> Trainer:
    torch.manual_seed(0)
    config = TrainConfig(steps=steps, warm_up=2, decay=0, log_every=2, save_every=1000)
    return Trainer(Duel(together), Numbers(), config, folder)


def state(of: Trainer) -> list[Tensor]:
    return [*of.engine.state_dict().values(), *of.average.network.state_dict().values()]


def test_no_loss_moves_another_player(tmp_path: Path) -> None:
    run = trainer(tmp_path, 5)
    run.run()
    assert run.engine.seen == [True] * 5  # type: ignore[comparison-overlap]


def test_a_dict_updates_all_players_from_the_old_point(tmp_path: Path) -> None:
    run = trainer(tmp_path, 1, together=True)
    start = {k: v.clone() for k, v in run.engine.state_dict().items()}
    run.run()
    # Adam's first step is lr * sign(gradient): the signs must be those at the starting point.
    torch.manual_seed(0)
    by_hand = Duel(together=True)
    batches = iter([Numbers().batch(0), Numbers().batch(1)])
    for name, loss in next(by_hand.step(batches, 0)).items():  # type: ignore[union-attr]
        network = by_hand.players()[name].network
        for key, grad in zip(
            network.state_dict(), torch.autograd.grad(loss, list(network.parameters()), retain_graph=True), strict=True
        ):
            moved = run.engine.state_dict()[f"{name}.{key}"] - start[f"{name}.{key}"]
            assert torch.equal(moved.sign(), -grad.sign())


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(tmp_path: Path) -> None:
    whole = trainer(tmp_path / "whole", 10)
    whole.run()
    first = trainer(tmp_path / "cut", 4)
    first.run()
    torch.manual_seed(99)  # whatever happens in between
    second = trainer(tmp_path / "cut", 10)
    second.resume()
    assert second.step == 4
    second.run()
    assert all(torch.equal(a, b) for a, b in zip(state(whole), state(second), strict=True))
    assert whole.drawn == second.drawn


def test_ctrl_c_saves_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trainer(tmp_path / "whole", 6)
    whole.run()
    run = trainer(tmp_path / "cut", 6)
    update = run.average.update

    def interrupt(network: nn.Module, t: int) -> None:
        if t == 3:
            raise KeyboardInterrupt
        update(network, t)

    monkeypatch.setattr(run.average, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    again = trainer(tmp_path / "cut", 6)
    again.resume()
    assert again.step == 3


def test_the_log_is_json_lines(tmp_path: Path) -> None:
    trainer(tmp_path, 4).run()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert {"generator", "critic", "steps_per_second"} <= lines[0].keys()


def test_a_loss_that_is_not_a_number_stops_the_run(tmp_path: Path) -> None:
    run = trainer(tmp_path, 4)
    torch.nn.init.constant_(run.engine.critic.weight, float("nan"))  # type: ignore[union-attr,arg-type]
    with pytest.raises(ImgenError, match="not a number"):
        run.run()
    assert not (tmp_path / "checkpoint.pt").exists()


def test_resume_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        trainer(tmp_path, 4).resume()
    (tmp_path / "checkpoint.pt").write_bytes(b"broken")
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        trainer(tmp_path, 4).resume()


def test_the_average_forgets_its_start_and_follows() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = MovingAverage(network, 0.9)
    nn.init.constant_(network.weight, 1.0)
    average.update(network, 0)
    first = average.network.weight.item()
    for t in range(1, 200):
        average.update(network, t)
    assert average.network.weight.item() == pytest.approx(1, abs=1e-4)
    assert abs(first - 1) < abs(0.9 * 1)  # weight 1/10 at the first step at most


def test_rates_warm_up_stay_and_fall() -> None:
    config = TrainConfig(steps=1000, warm_up=100, decay=0.2)
    assert config.rate(0) == pytest.approx(0.01)
    assert config.rate(500) == 1
    assert config.rate(900) == pytest.approx(0.5)
    assert config.rate(999) == pytest.approx(0.02)


def test_bad_configs_are_refused() -> None:
    with pytest.raises(UsageError, match="steps"):
        TrainConfig(steps=0)
    with pytest.raises(UsageError, match="precision"):
        TrainConfig(precision="fp8")
