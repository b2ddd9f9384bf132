import json
import os
import threading
import time

import pytest

from imgen.errors import DeviceError, ImageError, ModelError, UsageError
from imgen.image.atomic import PARTIAL
from imgen_apps.batch import Job, Options, run
from imgen_apps.journal import NAME
from tests.apps.text_batch import double, go, make_jobs, save


def contents(jobs):
    return [job.target.read_text() if job.target.exists() else None for job in jobs]


def test_all_done_with_lines_and_summary(jobs, capsys):
    summary = go(jobs)
    assert contents(jobs) == ["00", "11", "22", "33", "44"]
    assert (summary.done, summary.skipped, summary.failed, summary.exit_code) == (5, 0, 0, 0)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0].startswith(f"[1/5] {jobs[0].source} -> {jobs[0].target} (0.")
    assert lines[-1].startswith("5 done in 0.")


def test_quiet(jobs, capsys):
    go(jobs, quiet=True)
    assert capsys.readouterr() == ("", "")


def test_single_file_is_silent_about_counts_and_leaves_no_journal(jobs, capsys):
    assert go(jobs[:1]).done == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{jobs[0].source} -> ")
    assert not (jobs[0].target.parent / NAME).exists()


def test_failures_stay_alone(jobs, capsys):
    jobs[1].source.unlink()

    def process(text):
        if text == "2":
            raise MemoryError
        if text == "3":
            raise ValueError("odd\nstory")
        return double(text)

    summary = go(jobs, process=process)
    assert contents(jobs) == ["00", None, None, None, "44"]
    assert (summary.done, summary.failed, summary.exit_code) == (2, 3, 1)
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert errors == [
        f"error: {jobs[1].source}: No such file or directory",
        f"error: {jobs[2].source}: not enough memory; close other programs or make the image smaller",
        f"error: {jobs[3].source}: unexpected ValueError: odd (--debug shows where)",
    ]


def test_debug_shows_where(jobs, capsys):
    go(jobs, process=lambda text: text[9], debug=True)
    assert "Traceback" in capsys.readouterr().err


def test_failed_save_stays_alone(jobs):
    jobs[2].target.mkdir(parents=True)
    assert go(jobs, overwrite=True).failed == 1
    assert not list(jobs[0].target.parent.glob(PARTIAL))


def test_error_of_a_single_file_is_the_answer(jobs, tmp_path, capsys):
    jobs[0].source.unlink()
    with pytest.raises(ImageError, match="No such file"):
        go(jobs[:1], report=tmp_path / "report.jsonl")
    assert capsys.readouterr().err == ""
    assert json.loads((tmp_path / "report.jsonl").read_text())["status"] == "failed"


@pytest.mark.parametrize("kind", [ModelError, DeviceError])
@pytest.mark.parametrize("where", ["load", "process", "save"])
def test_what_would_meet_every_file_ends_the_batch(jobs, kind, where):
    def fail(*_):
        raise kind("gone")

    with pytest.raises(kind, match="gone"):
        go(jobs, **{where: fail})
    assert contents(jobs)[2:] == [None, None, None]


def test_existing_outputs_are_refused_before_anything_is_done(jobs):
    jobs[3].target.parent.mkdir(parents=True)
    jobs[3].target.write_text("old")
    with pytest.raises(UsageError, match=r"3\.txt exists already; --overwrite"):
        go(jobs)
    jobs[4].target.write_text("old")
    with pytest.raises(UsageError, match=r"3\.txt and 1 more exist already"):
        go(jobs)
    with pytest.raises(UsageError, match="not from an earlier run"):
        go(jobs, resume=True)
    assert contents(jobs) == [None, None, None, "old", "old"]
    assert go(jobs, skip_existing=True).skipped == 2
    assert contents(jobs) == ["00", "11", "22", "old", "old"]
    assert go(jobs, overwrite=True).done == 5
    assert contents(jobs) == ["00", "11", "22", "33", "44"]


def test_resume_makes_only_what_is_missing_or_would_differ(jobs):
    go(jobs, parameters={"model": "a"})
    jobs[1].target.unlink()
    jobs[2].source.write_text("9")
    (jobs[0].target.parent / PARTIAL.replace("*", "left")).touch()
    summary = go(jobs, parameters={"model": "a"}, resume=True)
    assert (summary.done, summary.skipped) == (2, 3)
    assert contents(jobs) == ["00", "11", "99", "33", "44"]
    assert not list(jobs[0].target.parent.glob(PARTIAL))
    assert go(jobs, parameters={"model": "b"}, resume=True).done == 5
    assert go(jobs, parameters={"model": "b"}, resume=True).skipped == 5


def test_resume_does_failures_again(jobs):
    jobs[1].source.unlink()
    assert go(jobs).failed == 1
    jobs[1].source.write_text("1")
    summary = go(jobs, resume=True)
    assert (summary.done, summary.skipped) == (1, 4)


def test_in_place_only_when_told_and_never_twice(jobs):
    jobs = [Job(job.source, job.source) for job in jobs]
    with pytest.raises(UsageError, match="its own input"):
        go(jobs)
    with pytest.raises(UsageError, match="its own input"):
        go(jobs, skip_existing=True)
    go(jobs, overwrite=True)
    assert go(jobs, overwrite=True, resume=True).skipped == 5
    assert contents(jobs) == ["00", "11", "22", "33", "44"]


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_own_input_through_a_link(jobs, tmp_path):
    (tmp_path / "link").symlink_to(jobs[0].source)
    with pytest.raises(UsageError, match="its own input"):
        go([Job(jobs[0].source, tmp_path / "link")], skip_existing=True)


def test_contradictions_are_refused(jobs, tmp_path):
    with pytest.raises(UsageError, match="contradict"):
        go(jobs, skip_existing=True, overwrite=True)
    with pytest.raises(UsageError, match="would both become"):
        go([jobs[0], Job(jobs[1].source, jobs[0].target)])
    with pytest.raises(UsageError, match="also an input"):
        go([jobs[0], Job(jobs[1].source, jobs[0].source)], overwrite=True)
    with pytest.raises(UsageError, match="also an input"):
        go([Job(jobs[0].source, jobs[1].source, companions=(jobs[1].source,))], overwrite=True)
    with pytest.raises(UsageError, match="would replace an image"):
        go(jobs, report=jobs[0].source)
    with pytest.raises(UsageError, match="is a file; choose"):
        go([Job(jobs[0].source, jobs[1].source / "x" / "y.txt")])
    with pytest.raises(UsageError, match="report cannot be written"):
        go(jobs, report=jobs[0].source / "report.jsonl")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_read_only_output(jobs, tmp_path):
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(UsageError, match="read-only for you"):
        go(jobs)


@pytest.mark.parametrize("resume", [True, False])
def test_dry_run_touches_nothing(jobs, tmp_path, capsys, resume):
    go(jobs[:2])
    capsys.readouterr()
    before = sorted(tmp_path.rglob("*"))
    summary = go(jobs, dry_run=True, resume=resume, skip_existing=not resume, report=tmp_path / "report.jsonl")
    assert sorted(tmp_path.rglob("*")) == before
    assert summary.skipped == 2
    lines = capsys.readouterr().out.splitlines()
    assert "skipped" in lines[0]
    assert lines[2] == f"{jobs[2].source} -> {jobs[2].target}"


def test_interrupt_finishes_what_is_being_written_and_can_be_resumed(jobs, capsys):
    def process(text):
        if text == "2":
            raise KeyboardInterrupt
        return double(text)

    def slowly(text, target):
        time.sleep(0.02)
        save(text, target)

    summary = go(jobs, process=process, save=slowly)
    assert (summary.exit_code, summary.done) == (130, 2)
    assert contents(jobs) == ["00", "11", None, None, None]
    assert capsys.readouterr().err.splitlines()[-1].endswith("add --resume to go on")
    assert (go(jobs, resume=True).skipped, contents(jobs)) == (2, ["00", "11", "22", "33", "44"])


def test_what_is_worked_out_while_it_is_saved_is_alone_and_stops_at_once(jobs):
    saving, here = [], threading.current_thread()

    def slowly(text, target):
        assert not saving
        saving.append(text)
        assert (threading.current_thread() is here) == (text != "00")
        time.sleep(0.02)
        if text == "22":
            raise KeyboardInterrupt
        save(text, target)
        saving.clear()

    summary = go(jobs, save=slowly, is_streamed=lambda text: text != "00")
    assert (summary.exit_code, summary.done) == (130, 2)
    assert contents(jobs) == ["00", "11", None, None, None]
    assert (go(jobs, resume=True).skipped, contents(jobs)) == (2, ["00", "11", "22", "33", "44"])


def test_at_most_three_images_at_a_time_and_stages_overlap(tmp_path):
    alive, most, threads = set(), [], {}

    class Image:
        def __init__(self):
            alive.add(id(self))
            most.append(len(alive))

        def __del__(self):
            alive.discard(id(self))

    def stage(name, value, pause):
        threads[name] = threading.get_ident()
        time.sleep(pause)
        return value

    for slow in ("load", "process", "save"):
        pause = {name: 0.003 if name == slow else 0 for name in ("load", "process", "save")}
        run(
            make_jobs(tmp_path / slow, 12),
            lambda job, pause=pause: stage("load", Image(), pause["load"]),
            lambda image, pause=pause: stage("process", image, pause["process"]),
            lambda image, target, pause=pause: stage("save", None, pause["save"]),
            parameters={},
            options=Options(quiet=True),
        )
    assert max(most) == 3
    assert not alive
    assert len(set(threads.values())) == 3


def test_failures_do_not_keep_their_images(jobs):
    alive = []

    class Image:
        def __init__(self):
            alive.append(1)

        def __del__(self):
            alive.pop()

    def process(image):
        raise ImageError("no")

    go(jobs, load=lambda job: Image(), process=process)
    assert not alive
