"""Sessions on a GPU whose inputs and outputs stay where they are, so that repeated shapes can be recorded.

A folder of photographs, and the tiles of a large one, come in the same few shapes. For these, memory on the GPU is
taken once, and CUDA records the launches of a run as a graph and replays it, which spares the CPU the hundreds of
launches of every further run.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime

from imgen.runtime.model import Array

_KEPT = 4  # shapes: what is recorded of one is never given back
_NOT_RECORDED = -1

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


class BoundSession:
    """A session with a ``run`` like onnxruntime's own, for one thread at a time; others wait.

    Args:
        session: onnxruntime's.
        device: "cuda", or "cpu", where all but the graphs works as well.
        index: of the GPU.
    """

    def __init__(self, session: Any, device: str, index: int = 0) -> None:
        self.session, self._place, self._lock = session, (device, index), Lock()
        self._seen: set[Shapes] = set()
        self._bound: dict[Shapes, _Binding] = {}

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array], options: Any) -> list[Array]:
        """As of a session; a shape that comes again is bound, the first few of them."""
        shapes = (*((name, array.shape) for name, array in inputs.items()), *((name, ()) for name in outputs))
        with self._lock:
            if shapes not in self._bound and shapes in self._seen and len(self._bound) < _KEPT:
                self._bound[shapes] = _Binding(self.session, self._place, len(self._bound), inputs, outputs)
            self._seen.add(shapes)
            if shapes in self._bound:
                return self._bound[shapes].run(inputs, options)
            _record(options, _NOT_RECORDED)
            found: list[Array] = self.session.run(list(outputs), dict(inputs), options)
            return found


class _Binding:
    """Inputs and outputs of one shape at addresses that stay."""

    def __init__(
        self, session: Any, place: tuple[str, int], number: int, inputs: Mapping[str, Array], outputs: Sequence[str]
    ) -> None:
        self._session, self._number = session, number
        self._inputs = {
            # On the CPU it is the array's own memory, which is the caller's.
            name: onnxruntime.OrtValue.ortvalue_from_numpy(np.array(array, order="C"), *place)
            for name, array in inputs.items()
        }
        self._binding = session.io_binding()
        for name, value in self._inputs.items():
            self._binding.bind_ortvalue_input(name, value)
        for name in outputs:
            self._binding.bind_output(name, *place)
        self._names, self._fixed = tuple(outputs), False

    def run(self, inputs: Mapping[str, Array], options: Any) -> list[Array]:
        """Copies of the results."""
        for name, value in self._inputs.items():
            value.update_inplace(np.ascontiguousarray(inputs[name]))
        _record(options, self._number if self._fixed else _NOT_RECORDED)
        self._session.run_with_iobinding(self._binding, options)
        values = self._binding.get_outputs()
        if not self._fixed:  # the first run has found how large they are
            for name, value in zip(self._names, values, strict=True):
                self._binding.bind_ortvalue_output(name, value)
            self._fixed = True
        return [value.numpy().copy() for value in values]


def _record(options: Any, number: int) -> None:
    """Which of a session's graphs a run is; only CUDA reads it, and only where graphs are enabled."""
    options.add_run_config_entry("gpu_graph_id", str(number))
