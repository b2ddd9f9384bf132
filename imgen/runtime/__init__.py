"""Run trained model files: ONNX through onnxruntime or OpenVINO, safetensors through torch."""

from imgen.runtime.loading import load, load_blend
from imgen.runtime.model import Model

__all__ = ["Model", "load", "load_blend"]
