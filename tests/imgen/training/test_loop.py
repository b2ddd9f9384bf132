import errno
import json
import signal
from pathlib import Path

import pytest
import torch
from torch import Tensor

from imgen.engines.engine import Engine
from imgen.errors import ImgenError, ModelError
from imgen.training.checkpoint import path_in


def state(of) -> list[Tensor]:
    return [*of.engine.state_dict().values(), *of.average.engine.state_dict().values()]


@pytest.mark.parametrize("config", [{}, {"accumulate": 2}, {"warm_up": 3, "decay": 0.5, "clip": 0.1}, {"workers": 1}])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(trainer, tmp_path: Path, config: dict) -> None:
    whole = trainer(tmp_path / "whole", 10, **config)
    whole.run()
    cut = trainer(tmp_path / "cut", 10, **config)
    stop_at(cut, 4)
    torch.manual_seed(99)  # whatever happens in between
    again = trainer(tmp_path / "cut", 10, **config)
    again.resume()
    assert again.step == 4
    again.run()
    assert all(torch.equal(a, b) for a, b in zip(state(whole), state(again), strict=True))
    assert whole.drawn == again.drawn


def stop_at(run, step: int) -> None:
    """Ctrl-C in the middle of a step."""
    advance, asked = run.engine.step, []

    def step_and_interrupt(batches, t):
        if t == step - 1 and not asked:
            asked.append(t)
            signal.raise_signal(signal.SIGINT)
        yield from advance(batches, t)

    run.engine.step = step_and_interrupt
    with pytest.raises(KeyboardInterrupt):
        run.run()


def test_ctrl_c_lets_the_step_end_and_saves(trainer, tmp_path: Path, capsys) -> None:
    run = trainer(tmp_path, 6)
    before = signal.getsignal(signal.SIGINT)
    stop_at(run, 3)
    assert run.step == 3
    assert signal.getsignal(signal.SIGINT) is before
    assert "stopping after this step" in capsys.readouterr().err
    assert torch.load(path_in(tmp_path), weights_only=True)["step"] == 3


def test_a_second_ctrl_c_stops_at_once_and_keeps_the_last_checkpoint(trainer, tmp_path: Path) -> None:
    run = trainer(tmp_path, 6, save_every=2)
    advance = run.engine.step

    def twice(batches, t):
        if t == 3:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        yield from advance(batches, t)

    run.engine.step = twice
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert torch.load(path_in(tmp_path), weights_only=True)["step"] == 2


def test_the_log_is_json_lines_of_mean_losses(trainer, tmp_path: Path, capsys) -> None:
    trainer(tmp_path, 5).run()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 5]  # the last one in any case
    assert {"generator", "critic", "steps_per_second"} <= lines[0].keys()
    single = trainer(tmp_path / "single", 2, log_every=1)
    single.run()
    each = [json.loads(line)["critic"] for line in (tmp_path / "single" / "log.jsonl").read_text().splitlines()]
    assert lines[0]["critic"] == pytest.approx(sum(each) / 2)
    assert "step 1/2  critic" in capsys.readouterr().err


def test_a_resumed_run_drops_what_the_log_has_beyond_the_checkpoint(trainer, tmp_path: Path) -> None:
    trainer(tmp_path, 4, log_every=1).run()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 5, "critic": 1.0}\n{"step": 6, "cri')  # as a killed run leaves it
    run = trainer(tmp_path, 6, log_every=1)
    run.resume()
    run.run()
    steps = [json.loads(line)["step"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_pictures_are_made_with_the_same_noise_and_do_not_disturb_the_run(trainer, tmp_path: Path) -> None:
    seen = []

    def picture(engine: Engine) -> Tensor:
        assert not engine.training
        seen.append(torch.rand(3, 8, 8))
        return seen[-1]

    plain = trainer(tmp_path / "plain", 4)
    plain.run()
    drawn = trainer(tmp_path / "drawn", 4, picture_every=3)
    drawn.picture = picture
    drawn.run()
    assert len(seen) == 2
    assert torch.equal(*seen)
    assert all(torch.equal(a, b) for a, b in zip(state(plain), state(drawn), strict=True))
    assert sorted(p.name for p in (tmp_path / "drawn" / "samples").iterdir()) == ["step-000003.png", "step-000004.png"]


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_the_last_checkpoint(trainer, tmp_path: Path) -> None:
    run = trainer(tmp_path, 2)
    run.run()
    again = trainer(tmp_path, 4)
    again.resume()
    torch.nn.init.constant_(again.engine.critic[0].weight, float("nan"))
    with pytest.raises(ImgenError, match="loss of the critic is not a number"):
        again.run()
    assert torch.load(path_in(tmp_path), weights_only=True)["step"] == 2


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_out_of_memory_says_what_to_lower(trainer, tmp_path: Path, error: Exception) -> None:
    run = trainer(tmp_path, 2)

    def step(batches, t):
        raise error
        yield

    run.engine.step = step
    with pytest.raises(ImgenError, match="out of memory on cpu; lower the batch"):
        run.run()


def test_a_full_disk_while_saving_is_one_line_and_keeps_the_last_checkpoint(
    trainer, tmp_path: Path, monkeypatch
) -> None:
    run = trainer(tmp_path, 4, save_every=2)
    run.save()
    kept = path_in(tmp_path).read_bytes()
    opened = Path.open

    class Full:
        def __init__(self, stream) -> None:
            self.stream = stream

        def __enter__(self):
            return self

        def __exit__(self, *error) -> None:
            self.stream.close()

        def write(self, data) -> None:
            self.stream.write(bytes(data[:100]))
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda p, mode="r", *a: Full(opened(p, mode)) if "x" in mode else opened(p, mode))
    with pytest.raises(ImgenError, match=r"last\.pt: cannot be written, the disk is full"):
        run.run()
    assert path_in(tmp_path).read_bytes() == kept
    assert [p.name for p in path_in(tmp_path).parent.iterdir()] == ["last.pt"]


def test_a_full_disk_while_logging_is_one_line(trainer, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(ImgenError, match="cannot be written"):
        trainer(tmp_path, 2).run()


def test_resume_refuses_what_is_not_its_own(trainer, duel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        trainer(tmp_path, 4).resume()
    trainer(tmp_path, 1).run()
    with pytest.raises(ModelError, match="with together False, this one has True"):
        trainer(tmp_path, 4, duel.Config(together=True)).resume()

    other = trainer(tmp_path, 4)
    other.engine.__class__ = type("Other", (duel,), {})
    with pytest.raises(ModelError, match="with engine Duel, this one has Other"):
        other.resume()

    wide = trainer(tmp_path, 4)
    wide.engine.critic = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Linear(5, 1))
    with pytest.raises(ModelError, match=r"critic\.0\.weight is 2 x 2 there and 5 x 2 here"):
        wide.resume()

    stored = torch.load(path_in(tmp_path), weights_only=True)
    torch.save({**stored, "format": 99}, path_in(tmp_path))
    with pytest.raises(ModelError, match="format 99"):
        trainer(tmp_path, 4).resume()
    path_in(tmp_path).write_bytes(b"broken")
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        trainer(tmp_path, 4).resume()
