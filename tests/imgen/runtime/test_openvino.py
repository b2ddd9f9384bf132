import sys
from pathlib import Path

import numpy as np
import pytest

from imgen.errors import DeviceError, ModelError
from imgen.runtime import load, loading
from imgen.runtime.device import say_once


def test_missing_openvino_says_how_to_get_it(inpaint_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "imgen.runtime.openvino", raising=False)
    with pytest.raises(DeviceError, match=r'pip install "imgen\[openvino\]"') as caught:
        load(inpaint_model, device="openvino")
    assert caught.value.exit_code == 4


def test_gives_what_onnxruntime_gives(inpaint_model: Path) -> None:
    pytest.importorskip("openvino")
    ours, theirs = (load(inpaint_model, device=device, threads=1) for device in ("openvino:fp32", "cpu"))
    generator = np.random.default_rng(0)
    for shape in ((1, 40, 104), (3, 8, 64)):
        image = generator.random((shape[0], 3, *shape[1:]), np.float32)
        mask = (generator.random((shape[0], 1, *shape[1:])) < 0.5).astype(np.float32)
        np.testing.assert_allclose(ours(image, mask), theirs(image, mask), atol=1e-5)
    assert (ours.device, ours.provider) == ("cpu", "OpenVINO")
    with pytest.raises(ModelError, match="failed on"):
        ours(image[:, :2], mask)


def test_auto_takes_it_for_models_of_the_catalogue_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr(loading, "gpus", lambda: 0)
    say_once.cache_clear()
    image = np.random.default_rng(0).random((1, 3, 40, 56), np.float32)
    ours, theirs = load("upscale-x2", device="auto", threads=1), load("upscale-x2", device="cpu", threads=1)
    assert (ours.provider, theirs.provider) == ("OpenVINO", "CPUExecutionProvider")
    assert np.abs(ours(image) - theirs(image)).max() < 0.05
    assert [record.message for record in caplog.records if "bfloat16" in record.message] == (
        ["OpenVINO runs this, in bfloat16; --device openvino:fp32 or cpu is exact to the last level"]
        if computes_here_in_bfloat16()
        else []
    )


def test_auto_leaves_a_file_that_nobody_vouches_for_to_onnxruntime(inpaint_model: Path) -> None:
    assert load(inpaint_model, device="auto").provider != "OpenVINO"


def test_auto_does_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert load("upscale-x2", device="auto").provider != "OpenVINO"


def computes_here_in_bfloat16() -> bool:
    from imgen.runtime.openvino import computes_in_bfloat16

    return computes_in_bfloat16()
