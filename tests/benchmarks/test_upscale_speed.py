import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from safetensors.numpy import load_file

from imgen.runtime.catalogue import find_model, weights_file

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "upscale_speed.py"


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    found = importlib.util.spec_from_file_location("upscale_speed", SCRIPT)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_operations_are_two_for_each_weight_of_a_convolution_and_pixel(speed: ModuleType) -> None:
    kernels = [array.size for array in load_file(weights_file("upscale-x4")).values() if array.ndim == 4]
    assert speed.operations(find_model("upscale-x4"), 1000) == 2000 * sum(kernels)


def test_a_slow_model_misses_the_bars(speed: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    ran = [
        (speed.Contestant("peak of float32: one", speed.convolution, (), 1e9), speed.Figures(0.01, 0.01, 0)),
        (speed.Contestant("ours, cpu", speed.pipeline, ("ours", "cpu"), 1e9), speed.Figures(0.5, 0.5, 10**8)),
        (speed.Contestant("ours alone", speed.network, ("ours", "cpu"), 1e9), speed.Figures(0.03, 0.016, 10**8)),
        (speed.Contestant("peer, torch", speed.in_torch, (), 4e9), speed.Figures(1.9, 2.1, 10**8)),
        (speed.Contestant("peer, other", speed.in_torch, (), 4e9), speed.Figures(1.9, 1.8, 10**8)),
    ]
    assert speed.report(ran, 0.25)
    assert "| ours, cpu | 2000 | 2000 | 4.20 | 3.60 | 100 | 2 | 2% |" in capsys.readouterr().out
    ran[1] = ran[1][0], speed.Figures(0.5, 0.6, 10**8)
    assert not speed.report(ran, 0.25)
    assert "FAIL  ours, cpu: 3.50 times as fast as the peer in torch, at least 4" in capsys.readouterr().out
