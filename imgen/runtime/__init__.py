"""Run trained model files: ONNX through onnxruntime or OpenVINO, safetensors through torch."""

from imgen.runtime.model import Model, load

__all__ = ["Model", "load"]
