"""The graph for other programs agrees with what imgen itself makes of a detector's maps."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch

from imgen import weights
from imgen.networks.face_detector import FaceDetector
from imgen.runtime import load
from imgen.spec import Spec
from imgen_apps.face_finding import FaceFinder
from imgen_export.graph import export


def test_embed_gives_the_boxes_and_points_that_the_finder_gives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = FaceDetector(FaceDetector.Config(width=8, blocks=1)).eval()
    for head in (network.score, network.pose):
        torch.nn.init.normal_(head.weight, 0, 0.3)
    spec = Spec("tiny", "detect-face", "CC0-1.0", outputs=("score", "pose"), multiple=8)
    weights.save(network, tmp_path / "tiny.safetensors", spec)
    written = export(network, tmp_path / "embed.onnx", spec, "embed")
    assert written.graph == "embed"
    image = np.random.default_rng(0).integers(0, 256, (44, 61, 3), np.uint8)
    session = onnxruntime.InferenceSession(tmp_path / "embed.onnx", providers=["CPUExecutionProvider"])
    score, pose = session.run(None, {"image": image[None]})
    assert (score.shape, pose.shape) == ((1, 48), (1, 48, 14))
    padded = np.pad(image, ((0, 4), (0, 3), (0, 0)), "edge")
    alike = 0
    for face in FaceFinder(load(tmp_path / "tiny.safetensors"), sure=0.0)(padded):
        each = int(np.abs(pose[0, :, :4] - face.box).max(1).argmin())
        if np.allclose(pose[0, each, :4], face.box, atol=1e-2):  # others were found at half the size
            alike += 1
            assert np.allclose(pose[0, each, 4:].reshape(5, 2), face.points, atol=1e-2)
            assert np.isclose(score[0, each], face.score, atol=1e-5)
    assert alike > 0
