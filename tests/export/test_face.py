"""Face editors as files: both graphs in a plain runtime."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from imgen.networks.face_editor import FaceEditor
from imgen.spec import Spec
from imgen_export.graph import export

SPEC = Spec(
    "tiny-face",
    "face",
    "CC0-1.0",
    inputs=("identity", "attributes", "keep", "shift"),
    outputs=("result", "identity_code", "attribute_code"),
    size=16,
    multiple=16,
    face={"identity": 4, "attributes": 6, "directions": {}, "frontal": [0.0] * 6, "threshold": 0.3},
)


@pytest.mark.parametrize("graph", ["core", "embed"])
def test_a_file_does_what_the_network_does(graph: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FaceEditor(FaceEditor.Config(16, 3, 4, 6, 2, 2, 2)).eval()
    for weight in network.generator.parameters():
        weight.data *= 10  # as it begins, all that it makes is grey
    written = export(network, tmp_path / "face.onnx", SPEC, graph)
    assert written.face["threshold"] == 0.3
    session = onnxruntime.InferenceSession(tmp_path / "face.onnx", providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (2, 7, 16, 16, 3), np.uint8)
    planes = faces.transpose(0, 1, 4, 2, 3).astype(np.float32) / 255
    keep, shift = rng.random((7, 2), np.float32), rng.standard_normal((7, 10)).astype(np.float32)
    given = planes if graph == "core" else faces
    made = session.run(None, dict(zip(SPEC.inputs, (*given, keep, shift), strict=True)))
    with torch.inference_mode():
        wanted = [part.numpy() for part in network(*(torch.from_numpy(x.copy()) for x in (*planes, keep, shift)))]
    assert np.abs(made[1] - wanted[1]).max() < 1e-4
    assert np.abs(made[2] - wanted[2]).max() < 1e-4
    if graph == "core":
        assert np.abs(made[0] - wanted[0]).max() < 1e-4
    else:
        assert made[0].dtype == np.uint8
        assert np.abs(made[0] - 255 * wanted[0].transpose(0, 2, 3, 1)).max() <= 0.6
