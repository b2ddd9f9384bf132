"""What all engines for ONNX files do alike: take arrays by name, and normalise by given statistics."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imgen.runtime.model import Array, Model, Statistics
from imgen.runtime.normalisation import Norm, rewrite
from imgen.runtime.onnxfile import OnnxFile


class OnnxModel(Model):
    """An ONNX file that an engine has opened; graphs that take statistics are opened when they are first needed."""

    def __init__(self, file: OnnxFile, network: Any, device: str, provider: str) -> None:
        super().__init__(file.spec, device, provider)
        self._file, self._network = file, network
        self._rewritten: dict[bool, tuple[Any, list[Norm]]] = {}

    @abstractmethod
    def _open(self, data: bytes) -> Any:
        """The engine's own object for a file."""

    @abstractmethod
    def _infer(self, network: Any, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        """Run what ``_open`` gave."""

    def _run_named(self, inputs: tuple[Array, ...]) -> list[Array]:
        return self._infer(self._network, dict(zip(self.spec.inputs, inputs, strict=True)), self.spec.outputs)

    def _run_normalised(self, image: Array, statistics: Statistics) -> Array:
        network, norms = self._rewrite(given=True)
        feed = {self.spec.inputs[0]: image}
        for norm, (mean, variance) in zip(norms, statistics, strict=True):
            feed |= {norm.mean: mean, norm.variance: variance}
        return self._infer(network, feed, self.spec.outputs)[0]

    def _run_statistics(self, images: Array) -> Statistics:
        network, norms = self._rewrite(given=False)
        found = self._infer(network, {self.spec.inputs[0]: images}, [norm.measured for norm in norms])
        return [np.ascontiguousarray(each[0, :, :, 0].T) for each in found]

    def _rewrite(self, *, given: bool) -> tuple[Any, list[Norm]]:
        if given not in self._rewritten:
            data, norms = rewrite(self._file.where, self._file.data, given=given)
            self._rewritten[given] = self._open(data), norms
        return self._rewritten[given]
