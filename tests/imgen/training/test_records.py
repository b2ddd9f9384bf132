import io
import json
from pathlib import Path

import torch

from imgen.training.records import Progress, Records


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_there_are_plain_lines() -> None:
    stream = io.StringIO()
    progress = Progress(100, 0, stream=stream)
    progress.advance(5)
    progress.record(10, {"critic": 0.123456, "steps_per_second": 3.0})
    progress.close()
    assert stream.getvalue() == "step 10/100  critic 0.1235  steps_per_second 3\n"


def test_a_terminal_gets_a_bar_with_the_terms() -> None:
    stream = Terminal()
    progress = Progress(100, 0, stream=stream)
    progress.record(49, {"critic": 0.5})
    progress.advance(50)
    progress.advance(51)  # too soon to be drawn again
    shown = stream.getvalue()
    assert shown.startswith("\r[############............] 50/100  0:00:")
    assert shown.endswith("critic 0.5\x1b[K")
    assert "51/100" not in shown


def test_a_bar_never_fills_the_line(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    progress = Progress(100, 0, stream=stream)
    progress.record(1, {f"a_long_name_{i}": 1.0 for i in range(9)})
    progress.advance(1)
    assert len(stream.getvalue().removeprefix("\r").removesuffix("\x1b[K")) == 39


def test_quiet_is_quiet() -> None:
    for stream in (io.StringIO(), Terminal()):
        progress = Progress(10, 0, quiet=True, stream=stream)
        progress.advance(1)
        progress.record(1, {"a": 1.0})
        progress.say("x")
        progress.close()
        assert stream.getvalue() == ""


def test_a_record_is_in_the_log_and_in_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    records = Records(tmp_path, 0)
    records.write(3, {"critic": 0.5})
    records.picture(3, torch.rand(3, 8, 8))
    records.close()
    assert json.loads((tmp_path / "log.jsonl").read_text()) == {"step": 3, "critic": 0.5}
    assert (tmp_path / "samples" / "step-000003.png").exists()
    board = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in board.Scalars("critic")] == [(3, 0.5)]
    assert [event.step for event in board.Images("samples")] == [3]
