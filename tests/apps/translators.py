"""Networks of task "translate" in NumPy, for the tests of what is built on them."""

from dataclasses import replace
from typing import Any

import numpy as np

from imgen.runtime import Model
from imgen.runtime.model import Array, Statistics
from imgen.spec import Spec

SPEC = Spec("stub", "translate", "CC0-1.0", multiple=4, radius=2, receptive_field="finite")


class Negative(Model):
    """The negative of the mean with the pixels 2 to the left and right; with noise, that much brighter."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(replace(SPEC, **changes), "cpu", "numpy")
        self.seen: list[tuple[int, ...]] = []

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        self.seen.append(inputs[0].shape)
        noise = inputs[1].mean() / 8 if len(inputs) > 1 else 0
        return 1 - _mixed(inputs[0]) + noise


class Normalising(Model):
    """Mixes neighbours as ``Negative``, brings each channel to mean 0.5 and deviation 0.1, and takes that twice."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(replace(SPEC, **{"radius": 4, "receptive_field": "normalised", **changes}), "cpu", "numpy")
        self.seen: list[tuple[int, ...]] = []

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        return np.concatenate([self._work(image[None], None)[0] for image in inputs[0]])

    def _run_statistics(self, images: Array) -> Statistics:
        return self._work(images, None)[1]

    def _run_normalised(self, image: Array, statistics: Statistics) -> Array:
        return self._work(image, statistics)[0]

    def _work(self, image: Array, statistics: Statistics | None) -> tuple[Array, Statistics]:
        self.seen.append(image.shape)
        measured = []
        for layer in range(2):
            image = _mixed(image)
            measured.append(np.stack([image.mean((0, 2, 3)), image.var((0, 2, 3))]))
            mean, variance = (measured if statistics is None else statistics)[layer][:, :, None, None]
            image = (0.5 + 0.1 * (image - mean) / np.sqrt(variance + 1e-5)).astype(np.float32)
            image = np.maximum(image, 0.45)  # so that the second layer is given another distribution
        return image, measured


class Labelled(Model):
    """Of a label map: red where the first class is, green the second, blue the last channel of all."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(replace(SPEC, inputs=("labels",), **changes), "cpu", "numpy")

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        return inputs[0][:, [0, 1, -1]]


def _mixed(image: Array) -> Array:
    width = image.shape[3]
    padded = np.pad(image, ((0, 0), (0, 0), (0, 0), (2, 2)), mode="edge")
    return (padded[..., :width] + padded[..., 4:]) / 2
