"""Run ONNX files with OpenVINO on the CPU (optional: ``pip install "imgen[openvino]"``)."""

import numpy as np

from imgen.errors import DeviceError, ModelError
from imgen.runtime import onnxfile
from imgen.runtime.model import Array, Model, cpu_threads, joined, one_line

try:
    import openvino
except ImportError as error:
    raise DeviceError(
        'device openvino is not available: OpenVINO is not installed; pip install "imgen[openvino]"'
    ) from error


class OpenVinoModel(Model):
    """An ONNX file compiled by OpenVINO; every call has a request of its own, so calls may overlap.

    Where the CPU computes in bfloat16 so does this, which is twice as fast and moves pixels by a
    level or two; elsewhere it is float32.
    """

    def __init__(self, file: onnxfile.OnnxFile, threads: int | None = None) -> None:
        where, data, spec = file
        core = openvino.Core()
        fast = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if fast else "f32",
            "INFERENCE_NUM_THREADS": threads or cpu_threads(),
        }
        try:
            network = core.read_model(data)
            self._network = core.compile_model(network, "CPU", config)
        except RuntimeError as error:
            raise ModelError(f"{where}: OpenVINO cannot load it ({one_line(error)}); use --device cpu") from error
        inputs = [
            (node.get_any_name(), "tensor(float)" if node.element_type == openvino.Type.f32 else "another type")
            for node in self._network.inputs
        ]
        onnxfile.check_ends(where, spec, inputs, [node.get_any_name() for node in self._network.outputs])
        super().__init__(spec, "cpu", "OpenVINO")

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        request = self._network.create_infer_request()
        arrays = [np.ascontiguousarray(array) for array in inputs]
        for port, array in zip(self._network.inputs, arrays, strict=True):
            # request.infer(arrays) copies, and has let a wrong number of channels pass
            request.set_tensor(port, openvino.Tensor(array, shared_memory=True))
        request.infer()
        # Copies, for the tensors die with their request.
        return joined([request.get_tensor(port).data.copy() for port in self._network.outputs])
