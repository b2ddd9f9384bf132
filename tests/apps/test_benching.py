"""What the figures of a benchmark are worked out from."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from imgen.runtime.catalogue import weights_file
from imgen.spec import Spec
from imgen_apps import benching
from imgen_apps.benching import Way, convolution, network, pipeline, rows_of, weights_beside
from imgen_apps.racing import Contestant, Rounds


def test_medians_against_torch_and_the_peak() -> None:
    ways = [
        Way("pipeline", "m", "cpu", 1, None),
        Way("network", "m", "cpu", 1, None),
        Way("network", "m", "cpu", 2, None),
        Way("pipeline", "m.safetensors", "cpu", 1, None),
    ]
    ran = [
        (Contestant("a", pipeline, (), threads=1), Rounds((0.2, 0.1, 9), (1, 1, 1), 100, 3.0)),
        (Contestant("b", network, (), 6e9, 1), Rounds((0.1, 0.1, 0.1), (0.1, 0.1, 0.1), 90, 2.0)),
        (Contestant("c", network, (), 6e9, 2), Rounds((0.1, 0.1, 0.1), (0.1, 0.1, 0.1), 90, 2.0)),
        (Contestant("d", pipeline, (), threads=1), Rounds((0.6, 0.5, 0.9), (1, 1, 1), 500, 9.0)),
        (Contestant("slow", convolution, ("float32",), 5e9, 1), Rounds((9, 9, 9), (0.1, 0.1, 0.1), 1, 1)),
        (Contestant("peak", convolution, ("float32",), 8e9, 1), Rounds((9, 9, 9), (0.1, 0.1, 0.1), 1, 1)),
        (Contestant("other", convolution, ("float32",), 9e9, 3), Rounds((9, 9, 9), (0.1, 0.1, 0.1), 1, 1)),
    ]
    first, second, third, torch = rows_of(Spec("m", "upscale", "MIT", precision="fp16"), ways, ran, 0.25)
    assert (first.ms_per_megapixel, first.images_per_second, first.times_torch) == pytest.approx((800, 5, 3))
    assert (first.startup_s, first.memory_bytes, first.precision, first.share_of_peak) == (3.0, 100, "fp16", None)
    assert (second.times_torch, second.share_of_peak) == pytest.approx((6, 0.75))
    assert (third.times_torch, third.share_of_peak) == (None, None)  # nothing else had two threads
    assert (torch.engine, torch.times_torch) == ("torch", 1)


def test_engines() -> None:
    found = [
        Way("pipeline", *each, None, None).engine for each in (("m.onnx", "cpu"), ("m", "openvino"), ("m.pth", "cuda"))
    ]
    assert found == ["onnxruntime", "OpenVINO", "torch"]


def test_the_same_network_for_torch(tmp_path: Path) -> None:
    assert weights_beside("upscale-x2") == weights_file("upscale-x2")
    assert weights_beside(str(tmp_path / "m.onnx")) is None
    (tmp_path / "m.safetensors").touch()
    assert weights_beside(str(tmp_path / "m.onnx")) == tmp_path / "m.safetensors"


@pytest.mark.parametrize(
    ("provider", "device", "meant"),
    [
        ("OpenVINO", "cpu", "openvino"),
        ("CPUExecutionProvider", "cpu", "cpu"),
        ("CUDAExecutionProvider", "cuda:0", "cuda:0"),
    ],
)
def test_auto_is_called_what_it_is_here(
    monkeypatch: pytest.MonkeyPatch, provider: str, device: str, meant: str
) -> None:
    monkeypatch.setattr(benching, "load", lambda *_, **__: SimpleNamespace(provider=provider, device=device))
    assert benching._meant("model", "auto") == meant
    assert benching._meant("model", "openvino:fp32") == "openvino:fp32"
