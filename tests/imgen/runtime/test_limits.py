"""Model files that ask for more than there is."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from imgen.cli import main
from imgen.errors import ModelError
from imgen.runtime import limits, load
from imgen.spec import KEY, Spec

resource = pytest.importorskip("resource", reason="limits are kept on Linux alone")

ROOT = Path(main.__file__).parents[2]


def write(path: Path, nodes: list, constants: list, *, described: bool = True) -> Path:
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])]
    results = [helper.make_tensor_value_info("result", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", ends, results, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if described:
        helper.set_model_props(model, {KEY: Spec("m", "upscale", "MIT", inputs=("x",), scale=2).to_json()})
    path.write_bytes(model.SerializeToString())
    return path


def asking(path: Path, side: int, *, described: bool) -> Path:
    """A file whose result has three planes of this side, whatever goes in."""
    shape = helper.make_tensor("s", TensorProto.INT64, [4], [1, 3, side, side])
    return write(path, [helper.make_node("ConstantOfShape", ["s"], ["result"])], [shape], described=described)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are kept on Linux alone")
@pytest.mark.parametrize("described", [False, True])
def test_a_hundred_bytes_that_ask_for_25_gigabytes_are_one_line(tmp_path: Path, described: bool) -> None:
    model = asking(tmp_path / "m.onnx", 46_000, described=described)
    assert described or model.stat().st_size < 120
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    # The hard limit is the test's own net: what imgen has to keep to is what is free, which it is told is 2 GB.
    script = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (12_000_000_000, 12_000_000_000))
from imgen.runtime import limits
limits.available = lambda: 2_000_000_000
sys.argv = ["imgen", "run", {str(model)!r}, "photo.png", "--device", "cpu", "--threads", "1"]
from imgen.cli.main import main
try:
    main()
finally:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == 12_000_000_000
    print(peak)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "apps", ROOT / "export")))}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 3), done.stderr
    (line,) = done.stderr.splitlines()
    assert "memory" in line
    assert not list(tmp_path.glob("photo-*"))


def test_the_limit_is_for_as_long_as_someone_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available", lambda: 1 << 30)
    before = resource.getrlimit(resource.RLIMIT_AS)
    with limits.free_memory_only():
        inside = resource.getrlimit(resource.RLIMIT_AS)[0]
        with limits.free_memory_only():
            assert resource.getrlimit(resource.RLIMIT_AS)[0] == inside
        assert resource.getrlimit(resource.RLIMIT_AS)[0] == inside
        with pytest.raises(MemoryError):
            np.empty(1 << 31, np.uint8)
    assert inside > 1 << 30
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_nothing_is_limited_where_nothing_tells_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available", lambda: None)
    before = resource.getrlimit(resource.RLIMIT_AS)
    with limits.free_memory_only():
        assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_call_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 400
    nodes = [helper.make_node("MatMul", [f"c{i}", "c0"], [f"c{i + 1}"]) for i in range(steps)]
    nodes.insert(0, helper.make_node("Resize", ["x", "", "", "size"], ["y"]))
    nodes.insert(1, helper.make_node("Reshape", ["y", "flat"], ["c0"]))
    nodes.append(helper.make_node("Identity", [f"c{steps}"], ["result"]))
    constants = [
        numpy_helper.from_array(np.array([1, 3, 1200, 400], np.int64), "size"),
        numpy_helper.from_array(np.array([1200, 1200], np.int64), "flat"),
    ]
    model = load(write(tmp_path / "m.onnx", nodes, constants), device="cpu", threads=1)
    monkeypatch.setattr(limits, "SECONDS", 0.2)
    began = time.perf_counter()
    with pytest.raises(ModelError, match=r"m: not done after 0\.2 seconds, and stopped") as caught:
        model(np.zeros((1, 3, 8, 8), np.float32))
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - began < 10


def test_what_ends_in_time_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.05)
    stopped = threading.Event()
    with limits.in_time(stopped.set) as late:
        pass
    time.sleep(0.1)
    assert not stopped.is_set()
    assert not late.is_set()


def test_models_of_the_catalogue_are_not_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "free_memory_only", lambda: pytest.fail("limited"))
    image = np.zeros((1, 3, 8, 8), np.float32)
    assert load("upscale-x2", device="cpu", threads=1)(image).shape == (1, 3, 16, 16)
