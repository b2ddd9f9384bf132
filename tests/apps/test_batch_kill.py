"""kill -9 at random moments of a run, then --resume: whole outputs, each processed once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

import imgen
import imgen_apps
from imgen.image.atomic import PARTIAL
from imgen_apps.journal import NAME

FILES, KILLS = 200, 10

WORKER = """
import sys, time
from pathlib import Path
from imgen.image.atomic import atomic
from imgen_apps.batch import Options, discover, run

def process(content):
    time.sleep(0.005)
    return content[::-1]

def save(content, target):
    with atomic(target) as stream:  # in pieces, so that a kill may fall between them
        for start in range(0, len(content), 1000):
            stream.write(content[start:start + 1000])
            time.sleep(0.001)

jobs = discover(
    ["in"], Path("out"), suffixes={".bin"}, recursive=True, name_suffix="", extension=None
)
summary = run(
    jobs, lambda job: job.source.read_bytes(), process, save,
    parameters={"reverse": True}, options=Options(resume=True, report=Path("report.jsonl")),
)
sys.exit(summary.exit_code)
"""


def start(folder):
    paths = [Path(imgen.__file__).parents[1], Path(imgen_apps.__file__).parents[1]]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-c", WORKER]
    # A shell that runs the tests in the background has SIGINT ignored, and children inherit that.
    reset = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL, preexec_fn=reset)  # noqa: PLW1509


def results(folder):
    """What tells each finished output from one that was made again."""
    stats = {path: path.stat() for path in (folder / "out").rglob("*.bin")}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}


def test_killed_runs_resume_to_whole_outputs_made_once(tmp_path):
    rng = random.Random(0)
    contents = {f"{index % 3}/{index}.bin": rng.randbytes(5000) for index in range(FILES)}
    for name, content in contents.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    made, left = {}, 0
    for _ in range(KILLS):
        process = start(tmp_path)
        before, deadline = len(made), time.monotonic() + 10
        while len(results(tmp_path)) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL) if os.name == "posix" else process.kill()
        assert process.wait() != 0, "the run ended before it was killed"
        left += len(list((tmp_path / "out").rglob(PARTIAL)))
        now = results(tmp_path)
        assert all(now[path] == stamp for path, stamp in made.items())
        made = now

    assert 0 < len(made) < FILES
    assert start(tmp_path).wait() == 0
    final = results(tmp_path)
    assert {path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in final} == {
        name: content[::-1] for name, content in contents.items()
    }
    assert all(final[path] == stamp for path, stamp in made.items())
    assert not list((tmp_path / "out").rglob(PARTIAL))

    lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines() if line.endswith("}")]
    done = [line["target"] for line in lines if line["status"] == "done"]
    assert len(done) == len(set(done))
    for folder in ("0", "1", "2"):
        assert (tmp_path / "out" / folder / NAME).exists()
    print(f"{KILLS} kills: {len(made)} of {FILES} outputs kept, {left} unfinished files found and removed")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_with_130_and_no_half_file(tmp_path):
    (tmp_path / "in").mkdir()
    for index in range(200):
        (tmp_path / f"in/{index}.bin").write_bytes(bytes(5000))
    process = start(tmp_path)
    while not results(tmp_path):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert not list(tmp_path.rglob(PARTIAL))
    assert {path.stat().st_size for path in results(tmp_path)} == {5000}
