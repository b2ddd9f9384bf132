from pathlib import Path

import pytest

from imgen.errors import UsageError
from imgen_apps.jobs import Job
from imgen_apps.journal import NAME, Journal, digest_of


@pytest.fixture
def job(tmp_path):
    (tmp_path / "a.png").write_bytes(b"source")
    return Job(tmp_path / "a.png", tmp_path / "b.png")


def make(job, parameters=None, *, note_done=True, content=b"result"):
    journal, digest = Journal(parameters or {"grow": 1}), digest_of(job)
    journal.begin(job, digest)
    partial = job.target.with_name("partial")
    partial.write_bytes(content)
    partial.replace(job.target)
    if note_done:
        journal.done(job, digest)


def finished(job, parameters=None):
    return Journal(parameters or {"grow": 1}).finished(job, digest_of(job))


def test_unknown_then_finished(job):
    assert not finished(job)
    make(job)
    assert finished(job)
    assert Journal({}).known(job.target)
    assert not Journal({}).known(job.source)


def test_depends_on_content_companions_parameters_and_the_target_itself(job, tmp_path):
    make(job)
    assert not finished(job, {"grow": 2})
    (tmp_path / "mask.png").write_bytes(b"mask")
    assert not finished(Job(job.source, job.target, (tmp_path / "mask.png",)))
    job.source.write_bytes(b"changed")
    assert not finished(job)
    job.source.write_bytes(b"source")
    job.target.unlink()
    assert not finished(job)


def test_killed_between_rename_and_note(job):
    make(job, note_done=False)
    assert finished(job)


def test_killed_before_rename(job):
    Journal({"grow": 1}).begin(job, digest_of(job))
    assert not finished(job)
    job.target.write_bytes(b"old")
    Journal({"grow": 1}).begin(job, digest_of(job))
    assert not finished(job)


@pytest.mark.parametrize("note_done", [True, False])
def test_in_place_is_not_done_twice(job, note_done):
    job = Job(job.source, job.source)
    Journal({"grow": 1}).begin(job, digest_of(job))
    assert not finished(job)
    make(job, note_done=note_done)
    assert finished(job)


def test_in_place_is_done_again_when_edited_since(job):
    job = Job(job.source, job.source)
    make(job)
    job.source.write_bytes(b"edited by hand")
    assert not finished(job)


def test_torn_lines_are_passed_over(job):
    make(job)
    path = job.target.parent / NAME
    whole = path.read_bytes()
    for junk in (
        whole[-30:],
        b'{"target": "b.png"',
        b"[1]",
        b'{"state":1,"digest":1,"parameters":1,"stamp":1,"target":[]}',
    ):
        path.write_bytes(whole + b"\n" + junk)
        assert finished(job)
        make(job)
        assert finished(job)


def test_moved_folder_is_still_known(job, tmp_path):
    make(job)
    tmp_path.joinpath("moved").mkdir()
    moved = Job(job.source, tmp_path / "moved/b.png")
    for name in ("b.png", NAME):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    assert finished(moved)


def test_unreadable_journal(job, tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(UsageError, match="journal cannot be read"):
        finished(job)


def test_digest_keeps_files_apart(tmp_path):
    for name, content in (("a", b"xy"), ("b", b""), ("c", b"x"), ("d", b"y")):
        (tmp_path / name).write_bytes(content)
    one = digest_of(Job(tmp_path / "a", Path("t"), (tmp_path / "b",)))
    two = digest_of(Job(tmp_path / "c", Path("t"), (tmp_path / "d",)))
    assert one != two
    with pytest.raises(FileNotFoundError):
        digest_of(Job(tmp_path / "gone", Path("t")))


def test_lines_are_appended_whole(job):
    make(job)
    make(job)
    assert (job.target.parent / NAME).read_bytes().count(b"\n") == 4
