"""Run trained model files: ONNX through onnxruntime or OpenVINO, safetensors through torch."""

from imgen.runtime.model import Model, load, load_blend

__all__ = ["Model", "load", "load_blend"]
