"""The scores of the benchmark; what its judges see takes minutes to learn."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def judges(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("judges")


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("translate_quality")


def test_the_scores_are_those_of_the_protocol(judges: ModuleType) -> None:
    """Two classes and void (2): 6 of 8 pixels right; of class 0 5 of 6, of class 1 1 of 2."""
    truth = np.array([[0, 0, 0, 0, 0], [0, 1, 1, 2, 2]], np.uint8)
    seen = np.array([[0, 0, 0, 0, 0], [1, 1, 0, 1, 0]], np.uint8)
    found = judges.scores(judges.confusion(truth, seen, 2))
    assert found["pixel accuracy"] == pytest.approx(6 / 8)
    assert found["class accuracy"] == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert found["class IoU"] == pytest.approx((5 / 7 + 1 / 3) / 2)


def test_a_class_that_is_nowhere_does_not_count(judges: ModuleType) -> None:
    truth = np.zeros((3, 4), np.uint8)
    assert judges.scores(judges.confusion(truth, truth, 5))["class IoU"] == 1


def test_what_is_colourful_is_found_whatever_its_hue(quality: ModuleType) -> None:
    disc = np.asarray(cv2.circle(np.zeros((80, 90), np.uint8), (40, 40), 25, 1, -1), bool)
    masks = []
    for colour in ((240, 140, 20), (170, 20, 30), (120, 180, 40)):
        image = np.full((80, 90, 3), 120, np.uint8)
        image[disc] = colour
        masks.append(quality.colourful(image))
        assert (masks[-1] == disc).mean() > 0.97


def test_a_thumbnail_is_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    gallery = import_module("translate_gallery")
    image = np.zeros((30, 100, 3), np.uint8)
    image[:, 30:70] = 255
    small = gallery.thumbnail(image)
    assert small.shape == (144, 192, 3)
    assert (small == 255).all()
