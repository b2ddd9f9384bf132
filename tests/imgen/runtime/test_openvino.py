import sys
from pathlib import Path

import numpy as np
import pytest

from imgen.errors import DeviceError, ModelError
from imgen.runtime import load


def test_missing_openvino_says_how_to_get_it(inpaint_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "imgen.runtime.openvino", raising=False)
    with pytest.raises(DeviceError, match=r'pip install "imgen\[openvino\]"') as caught:
        load(inpaint_model, device="openvino")
    assert caught.value.exit_code == 4


def test_gives_what_onnxruntime_gives(inpaint_model: Path) -> None:
    pytest.importorskip("openvino")
    ours, theirs = (load(inpaint_model, device=device, threads=1) for device in ("openvino", "cpu"))
    generator = np.random.default_rng(0)
    for shape in ((1, 40, 104), (3, 8, 64)):
        image = generator.random((shape[0], 3, *shape[1:]), np.float32)
        mask = (generator.random((shape[0], 1, *shape[1:])) < 0.5).astype(np.float32)
        np.testing.assert_allclose(ours(image, mask), theirs(image, mask), atol=1e-5)
    assert (ours.device, ours.provider) == ("cpu", "OpenVINO")
    with pytest.raises(ModelError, match="failed on"):
        ours(image[:, :2], mask)
