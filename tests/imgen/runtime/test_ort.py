import ctypes
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imgen.errors import DeviceError, ModelError
from imgen.runtime import load, ort
from imgen.runtime.device import cpu_threads

NO_GPU = not ort.gpus()


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What is found out once a process is found out again in every test."""
    ort.gpu_problem.cache_clear()
    ort.say_once.cache_clear()
    yield
    ort.gpu_problem.cache_clear()


@pytest.mark.skipif(not NO_GPU, reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_is_refused_without_a_gpu(inpaint_model: Path, device: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeviceError, match=r"not available: no NVIDIA GPU .* or use --device cpu") as caught:
        load(inpaint_model, device=device)
    assert caught.value.exit_code == 4
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not NO_GPU, reason="there is a GPU")
def test_auto_is_the_cpu_without_a_gpu_and_says_nothing(inpaint_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert load(inpaint_model, device="auto").device == "cpu"
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not NO_GPU, reason="there is a GPU")
def test_a_gpu_whose_libraries_are_missing(
    inpaint_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(ort, "gpus", lambda: 1)
    with pytest.raises(DeviceError, match=r'; pip install "imgen\[cuda\]", or use --device cpu'):
        load(inpaint_model, device="cuda")
    with caplog.at_level(logging.WARNING, "imgen"):
        for _ in range(2):
            assert load(inpaint_model, device="auto").device == "cpu"
    assert len(caplog.records) == 1
    assert "running on the CPU although there is a GPU" in caplog.text
    assert 'pip install "imgen[cuda]"' in caplog.text
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("device", "words"), [("cuda", "did not start for this model"), ("cuda:2", "only 1 GPUs")])
def test_a_run_is_never_silently_on_the_cpu(
    inpaint_model: Path, monkeypatch: pytest.MonkeyPatch, device: str, words: str
) -> None:
    """A driver that starts for the probe and not for the model; and a GPU that is not there."""
    monkeypatch.setattr(ort, "gpus", lambda: 1)
    monkeypatch.setattr(ort, "gpu_problem", lambda provider: None)
    session = ort.open_session
    monkeypatch.setattr(ort, "open_session", lambda data, _, threads: session(data, [(ort.CPU, {})], threads))
    with pytest.raises(DeviceError, match=words):
        load(inpaint_model, device=device)


def test_an_onnxruntime_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort.onnxruntime, "get_available_providers", lambda: [ort.CPU])
    assert "pip install onnxruntime-gpu" in (ort.gpu_problem() or "")


def test_devices_end_with_the_cpu() -> None:
    assert ort.devices()[-1] == "cpu"
    assert not NO_GPU or ort.devices() == ["cpu"]


def test_threads_are_those_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 4, 5}, raising=False)
    monkeypatch.setattr(Path, "read_text", lambda _: "max 100000\n")
    assert cpu_threads() == 3
    monkeypatch.setattr(Path, "read_text", lambda _: "150000 100000\n")
    assert cpu_threads() == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(Path, "read_text", lambda _: "max 100000\n")
    assert cpu_threads() == 0


@pytest.mark.parametrize("reason", ["Failed to allocate memory for requested buffer of size 9", "CUDA out of memory"])
def test_too_little_memory(inpaint_model: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    tiny = load(inpaint_model, device="cpu")

    def fail(inputs: object) -> None:
        raise RuntimeError(reason)

    monkeypatch.setattr(tiny, "_run", fail)
    with pytest.raises(MemoryError, match="tiny-inpaint: 16 x 8 pixels need more memory than cpu has"):
        tiny(np.zeros((1, 3, 8, 16), np.float32), np.zeros((1, 1, 8, 16), np.float32))


def test_errors_of_a_run_are_not_logged_too(inpaint_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError):
        load(inpaint_model, device="cpu")(np.zeros((1, 2, 8, 8), np.float32), np.zeros((1, 1, 8, 8), np.float32))
    assert capfd.readouterr() == ("", "")


def test_counts_gpus_through_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    class Driver:
        def cuInit(self, flags: int) -> int:  # noqa: N802 - the driver's own name
            return 0

        def cuDeviceGetCount(self, count: object) -> int:  # noqa: N802
            ctypes.cast(count, ctypes.POINTER(ctypes.c_int))[0] = 2
            return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver())
    assert ort.gpus() == 2
