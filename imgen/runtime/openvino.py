"""Run ONNX files with OpenVINO on the CPU (optional: ``pip install "imgen[openvino]"``)."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from imgen.errors import DeviceError, ModelError
from imgen.runtime import limits, onnxfile
from imgen.runtime.catalogue import is_known
from imgen.runtime.device import cpu_threads
from imgen.runtime.model import Array, one_line
from imgen.runtime.onnxmodel import OnnxModel

try:
    import openvino
except ImportError as error:
    raise DeviceError(
        'device openvino is not available: OpenVINO is not installed; pip install "imgen[openvino]"'
    ) from error

_TYPES = {"f32": "tensor(float)", "i64": "tensor(int64)"}  # as onnxruntime calls them


class OpenVinoModel(OnnxModel):
    """An ONNX file compiled by OpenVINO; every call has a request of its own, so calls may overlap.

    Where the CPU computes in bfloat16 so does this, which is twice as fast and moves pixels by a
    level or two, unless it is to be exact; elsewhere it is float32.
    """

    def __init__(self, file: onnxfile.OnnxFile, threads: int | None = None, *, exact: bool = False) -> None:
        where, data, spec = file
        self._core = openvino.Core()
        self._config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if not exact and computes_in_bfloat16(self._core) else "f32",
            "INFERENCE_NUM_THREADS": threads or cpu_threads(),
        }
        self._guarded = not is_known(data)
        try:
            network = self._open(data)
        except RuntimeError as error:
            raise ModelError(f"{where}: OpenVINO cannot load it ({one_line(error)}); use --device cpu") from error
        inputs = [
            (node.get_any_name(), _TYPES.get(node.element_type.get_type_name(), "another type"))
            for node in network.inputs
        ]
        onnxfile.check_ends(where, spec, inputs, [node.get_any_name() for node in network.outputs])
        super().__init__(file, network, "cpu", "OpenVINO")

    def _open(self, data: bytes) -> Any:
        with self._limits():
            return self._core.compile_model(self._core.read_model(data), "CPU", self._config)

    def _infer(self, network: Any, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        request = network.create_infer_request()
        arrays = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        for name, array in arrays.items():
            # request.infer(arrays) copies, and has let a wrong number of channels pass
            request.set_tensor(name, openvino.Tensor(array, shared_memory=True))
        with self._limits():
            request.infer()
        # Copies, for the tensors die with their request.
        return [request.get_tensor(name).data.copy() for name in outputs]

    def _limits(self) -> AbstractContextManager[None]:
        """What a file may take that nobody vouches for; only onnxruntime can be stopped after a time."""
        return limits.free_memory_only() if self._guarded else nullcontext()


def computes_in_bfloat16(core: Any = None) -> bool:
    """Whether the CPU does, and so OpenVINO, whose own object this takes if there is one already."""
    return "BF16" in (core or openvino.Core()).get_property("CPU", "OPTIMIZATION_CAPABILITIES")
