"""What a batch tells: the report, warnings, the summary line, the progress bar."""

import io
import json
import sys
import warnings
from pathlib import Path

import pytest

from imgen_apps.batch import Summary
from imgen_apps.progress import Progress
from imgen_apps.task import tell
from tests.apps.text_batch import go, load, save


def test_report(jobs, tmp_path):
    jobs[1].source.unlink()
    report = tmp_path / "reports/report.jsonl"

    def save_and_tell(text, target):
        save(text, target)
        return {"holes": 3}

    go(jobs, save=save_and_tell, report=report)
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line["status"] for line in lines] == ["done", "failed", "done", "done", "done"]
    assert lines[0] | {"seconds": 0} == {
        "holes": 3,
        "source": str(jobs[0].source),
        "target": str(jobs[0].target),
        "status": "done",
        "seconds": 0,
        "error": None,
        "warnings": [],
    }
    assert "No such file" in lines[1]["error"]
    go(jobs, report=report, resume=True)
    assert len(report.read_text().splitlines()) == 10
    go(jobs, report=report, overwrite=True)
    assert len(report.read_text().splitlines()) == 5


def test_warnings_are_told_with_their_file_each_time(jobs, tmp_path, capsys):
    def process(text):
        warnings.warn("the mask is empty", stacklevel=1)
        return text

    def loading(job):
        warnings.warn("the mask was resized", stacklevel=1)
        return load(job)

    go(jobs, load=loading, process=process, report=tmp_path / "report.jsonl", quiet=True)
    expected = [
        f"warning: {job.source}: {text}" for job in jobs for text in ("the mask was resized", "the mask is empty")
    ]
    assert capsys.readouterr().err.splitlines() == expected
    last = (tmp_path / "report.jsonl").read_text().splitlines()[-1]
    assert json.loads(last)["warnings"] == ["the mask was resized", "the mask is empty"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_disk_full_for_the_report_does_not_stop_the_images(jobs, capsys):
    summary = go(jobs, report=Path("/dev/full"))
    assert summary.done == 5
    assert "the report ends here: No space left on device" in capsys.readouterr().err


def test_summary_line():
    assert (
        str(Summary(done=3, skipped=2, failed=1, seconds=2.0)) == "3 done, 2 skipped, 1 failed in 2.0 s (1.5 a second)"
    )


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_on_a_terminal():
    terminal = Terminal()
    with Progress(2, stream=terminal) as progress:
        progress.advance("a -> b")
        progress.say("warning: something")
        progress.fail("b: broken")
    text = terminal.getvalue()
    assert "a -> b" not in text
    assert "\r[############............] 1/2 0:00 left\x1b[K" in text
    assert "\r\x1b[Kwarning: something\n" in text
    assert text.endswith("\r\x1b[K")


def test_a_single_file_that_takes_long_shows_how_far_it_is(jobs, monkeypatch):
    def slowly(text, target):
        tell(0.5)
        save(text, target)

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    go(jobs[:1], save=slowly, is_streamed=lambda _: True)
    bar, line = terminal.getvalue().split("\r\x1b[K", 1)
    assert bar == "\r[############............] 50 % 0:00 left\x1b[K"
    assert line.startswith(f"{jobs[0].source} -> {jobs[0].target} (")
