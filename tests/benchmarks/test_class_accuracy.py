"""The judge of few images, upon features that are known."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from imgen.metrics.features import Described

CLAIMS = Path(__file__).parents[2] / "benchmarks" / "claims"


class MeanColour:
    """Three features."""

    name, size, channels = "mean-colour", 8, 3

    def __call__(self, images: np.ndarray) -> Described:
        return Described(images.mean((2, 3), dtype=np.float32), None)


class Colours:
    """Reddish, greenish and bluish images by turns."""

    classes, labels = ("red", "green", "blue"), np.arange(60) % 3

    def __init__(self, seed: int) -> None:
        pixels = np.random.default_rng(seed).integers(0, 200, (60, 3, 8, 8))
        pixels[np.arange(60), self.labels] += 50
        self.images = torch.from_numpy(pixels.astype(np.uint8))

    def __len__(self) -> int:
        return 60

    def pixels(self, numbers: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        return self.images[numbers], numbers


@pytest.fixture
def claim(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(CLAIMS)
    return import_module("class_accuracy")


def test_regression_tells_classes_apart_that_features_tell_apart(claim: ModuleType) -> None:
    judge, held = claim.Regression(MeanColour(), Colours(0)), Colours(1)
    found = judge(held.images.numpy())
    assert found.features.shape == (60, 3)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, rtol=1e-5)
    scores = claim.measured(
        judge, held.images, torch.from_numpy(held.labels), held.images, torch.from_numpy(held.labels)
    )
    assert scores == pytest.approx({"accuracy": 1, "variance of pixels": 1, "variance of features": 1})
    turned = torch.from_numpy((held.labels + 1) % 3)
    assert claim.measured(judge, held.images, turned, held.images, turned)["accuracy"] == 0
