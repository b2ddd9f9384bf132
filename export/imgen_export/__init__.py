"""ONNX files: written, verified, described."""
