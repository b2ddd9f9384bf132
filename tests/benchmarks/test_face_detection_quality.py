import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from imgen import weights
from imgen.networks.face_detector import FaceDetector
from imgen.spec import Spec

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "face_detection_quality.py"


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import face_detection_quality

    return face_detection_quality.score


def test_a_box_counts_by_what_it_shares(score) -> None:
    face = (10, 10, 30, 30)
    assert score([(10, 10, 30, 30)], [face]) == (1, 0)
    assert score([(10, 10, 30, 20.1)], [face]) == (1, 0)
    assert score([(10, 10, 30, 19.9)], [face]) == (0, 1)
    assert score([], [face]) == (0, 0)
    assert score([(50, 50, 60, 60), (11, 11, 31, 31)], [face]) == (1, 1)
    assert score([(12, 12, 20, 20)], [], [face]) == (0, 0)  # of a hidden one


def test_a_network_that_knows_nothing_finds_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind in ("faces", "photos"):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / "1.png"), rng.integers(0, 255, (128, 128, 3), np.uint8))
    torch.manual_seed(0)
    spec = Spec("tiny", "detect-face", "CC0-1.0", outputs=("score", "pose"), multiple=8)
    weights.save(FaceDetector(FaceDetector.Config(width=8, blocks=1)), tmp_path / "tiny.safetensors", spec)
    words = [sys.executable, SCRIPT, tmp_path / "faces", tmp_path / "photos", "--model", tmp_path / "tiny.safetensors"]
    done = subprocess.run([*words, "--scenes", "4", "--json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["composites"]["faces"] > 0
    assert (found["composites"]["recall"], found["composites"]["false alarms"]) == (0, 0)
    assert found["astronaut"]["recall"] == 0
