"""What is bound gives what the session gives; all but the recording of graphs works on the CPU as on a GPU."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from imgen.runtime import load, ort
from imgen.runtime.binding import BoundSession

OUTPUTS = ("result",)


class Spy:
    """A session that notes how it is run."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.session, self.ran = session, []

    def run(self, outputs, inputs, options):
        self.ran.append(("plain", options.get_run_config_entry("gpu_graph_id")))
        return self.session.run(outputs, inputs, options)

    def run_with_iobinding(self, binding, options):
        self.ran.append(("bound", options.get_run_config_entry("gpu_graph_id")))
        self.session.run_with_iobinding(binding, options)

    def io_binding(self):
        return self.session.io_binding()


@pytest.fixture
def spy(inpaint_model: Path) -> Spy:
    return Spy(ort.open_session(inpaint_model.read_bytes(), [(ort.CPU, {})], 1))


def feed(height: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "image": rng.random((1, 3, height, 24), np.float32),
        "mask": (rng.random((1, 1, height, 24)) < 0.5).astype(np.float32),
    }


def test_repeated_shapes_are_bound_recorded_and_give_the_same(spy: Spy) -> None:
    bound = BoundSession(spy, "cpu")
    kept = []
    for seed in range(5):
        given = feed(16, seed)
        before = {name: array.copy() for name, array in given.items()}
        made = bound.run(OUTPUTS, given, onnxruntime.RunOptions())
        kept.append((made[0], spy.session.run(list(OUTPUTS), before)[0]))
        assert all(np.array_equal(given[name], before[name]) for name in given)
    for made, expected in kept:  # a later run does not write into an earlier result
        np.testing.assert_array_equal(made, expected)
    # The first run shows that the shape comes, the second how large the results are.
    assert spy.ran == [("plain", "-1"), ("bound", "-1"), ("bound", "0"), ("bound", "0"), ("bound", "0")]


def test_only_so_many_shapes_are_bound(spy: Spy) -> None:
    bound = BoundSession(spy, "cpu")
    for _ in range(3):
        for height in (8, 16, 24, 32, 40, 48):
            given = feed(height, height)
            made = bound.run(OUTPUTS, given, onnxruntime.RunOptions())
            np.testing.assert_array_equal(made[0], spy.session.run(list(OUTPUTS), given)[0])
    assert {graph for how, graph in spy.ran if how == "bound"} == {"-1", "0", "1", "2", "3"}
    assert [how for how, _ in spy.ran[-6:]] == ["bound"] * 4 + ["plain"] * 2


def test_threads_do_not_mix(spy: Spy) -> None:
    bound = BoundSession(spy, "cpu")
    given = [feed(16, seed) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda each: bound.run(OUTPUTS, each, onnxruntime.RunOptions())[0], given))
    for each, result in zip(given, made, strict=True):
        np.testing.assert_array_equal(result, spy.session.run(list(OUTPUTS), each)[0])


@pytest.mark.parametrize(("device", "switch"), [("cuda", "enable_cuda_graph"), ("tensorrt", "trt_cuda_graph_enable")])
def test_a_model_on_a_gpu_is_bound_and_recorded_where_it_can_be(
    inpaint_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: str, switch: str
) -> None:
    """A GPU that is played by the CPU, and refuses at first to record."""
    expected = load(inpaint_model, device="cpu")(*feed(16, 0).values())
    asked = []
    session = ort.open_session

    def open_session(data, providers, threads):
        asked.append(providers[0])
        if switch in providers[0][1] and refuses:
            raise RuntimeError("not all nodes are on the GPU")
        found = Spy(session(data, [(ort.CPU, {})], threads))
        found.get_providers = lambda: [providers[0][0]]
        found.get_inputs, found.get_outputs = found.session.get_inputs, found.session.get_outputs
        return found

    monkeypatch.setenv("IMGEN_HOME", str(tmp_path))
    monkeypatch.setattr(ort, "gpus", lambda: 2)
    monkeypatch.setattr(ort, "gpu_problem", lambda provider: None)
    monkeypatch.setattr(ort, "open_session", open_session)
    monkeypatch.setattr(ort.BoundSession, "__init__", playing(ort.BoundSession.__init__))
    for refuses in (False, True):
        asked.clear()
        model = load(inpaint_model, device=f"{device}:1")
        assert [switch in options for _, options in asked] == ([True, False] if refuses else [True])
        assert {options["device_id"] for _, options in asked} == {"1"}
        assert (model.device, model.provider) == ("cuda:1", ort.CUDA if device == "cuda" else ort.TENSORRT)
        for _ in range(3):
            np.testing.assert_array_equal(model(*feed(16, 0).values()), expected)


def playing(start):
    """A bound session whose GPU is the CPU."""

    def begin(self, session, device, index=0):
        assert (device, index) == ("cuda", 1)
        start(self, session, "cpu", 0)

    return begin


def test_without_tensorrt_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ort.gpu_problem.cache_clear()
    monkeypatch.setattr(ort, "gpus", lambda: 1)
    monkeypatch.setattr(ort.onnxruntime, "get_available_providers", lambda: [ort.CPU])
    assert "without TensorRT" in (ort.gpu_problem(ort.TENSORRT) or "")
    ort.gpu_problem.cache_clear()
