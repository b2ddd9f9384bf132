"""Photographs for the recipes to learn from."""

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for index in range(3):
        smooth = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (96, 72), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{index}.png"), smooth)
    return folder
