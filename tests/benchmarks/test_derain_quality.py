import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "derain_quality.py"


def test_pairs_are_compared_by_the_published_protocol(derain_model: Path, tmp_path: Path) -> None:
    clean = np.random.default_rng(0).integers(124, 132, (43, 66, 3), np.uint8)  # about its own negative
    clean[10:30, 20:44] = (10, 250, 30)
    dirty = clean.copy()
    dirty[10:30, 20:44] = 255 - clean[10:30, 20:44]
    dirty[42:, 64:] = 0  # beyond a multiple of 4
    for name, pixels in (("rain", dirty), ("clean", clean)):
        Image.fromarray(pixels).save(tmp_path / f"7_{name}.png")
    words = [sys.executable, SCRIPT, tmp_path, "--model", derain_model, "--json"]
    found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)["7_rain"]
    y = (np.array([65.481, 128.553, 24.966]) @ (np.array((10, 250, 30)) * 2 - 255.0)) / 255
    expected = 10 * np.log10(255**2 / (y**2 * (20 * 24) / (40 * 64)))
    assert abs(found["input PSNR"] - expected) < 1e-3
    assert found["gain"] > 3
    assert found["result SSIM"] > found["input SSIM"]
