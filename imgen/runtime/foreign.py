"""ONNX upscalers that do not come from imgen: what they are is found out by running them on a small image."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from imgen.errors import ModelError
from imgen.runtime import limits
from imgen.runtime.model import one_line
from imgen.runtime.ort import CPU, open_session
from imgen.spec import Spec

SCALES = range(2, 9)

_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)


def describe(path: Path, data: bytes) -> Spec:
    """The description of a file that has none: it must take one float image, N x 3 x H x W, and enlarge it.

    The smallest multiple at which it runs is its multiple. Nothing shows how far it looks, so that is "global".

    Raises:
        ModelError: it is something else, which the message says.
    """
    try:
        with limits.free_memory_only():
            session = open_session(data, [(CPU, {})], None)
    except Exception as error:  # onnxruntime's own classes have no base in common
        raise ModelError(f"{path}: onnxruntime cannot load it ({one_line(error)}); export it again") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    found = ", ".join(f"{node.name} {node.type} {node.shape}" for node in inputs)
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        raise ModelError(
            f"{path}: no imgen description inside, and not an upscaler of one float image, N x 3 x H x W: it takes "
            f"{found} and gives {len(outputs)} results; say what it is in {path.stem}.json (docs/embedding.md)"
        )
    if any(isinstance(side, int) for side in inputs[0].shape[2:]):
        raise ModelError(f"{path}: made for one size only, {found}; export it with free height and width")
    for multiple in _MULTIPLES:
        scale, made = _try(session, inputs[0].name, multiple * (32 // multiple | 1))  # no multiple of a larger one
        if scale in SCALES:
            ends = (inputs[0].name,), (outputs[0].name,)
            return Spec(path.stem, "upscale", "unknown", *ends, scale=scale, multiple=multiple)
    wanted = f"{SCALES[0]} to {SCALES[-1]} times as many pixels each way"
    raise ModelError(f"{path}: no imgen description inside, and not an upscaler: {made} instead of {wanted}")


def _try(session: Any, name: str, side: int) -> tuple[int, str]:
    """By how much a square image is enlarged, 0 if it is not, and what was made of it in words."""
    size, options = f"{side} x {side} pixels", onnxruntime.RunOptions()
    options.log_severity_level = 4
    try:
        with limits.in_time(partial(setattr, options, "terminate", True)), limits.free_memory_only():
            (result,) = session.run(None, {name: np.full((1, 3, side, side), 0.5, np.float32)}, options)
    except Exception as error:
        return 0, f"it fails on {size} ({one_line(error)})"
    scale = result.shape[-1] // side
    enlarged = result.dtype == np.float32 and result.shape == (1, 3, scale * side, scale * side)
    return (scale if enlarged else 0), f"of {size} it makes {result.dtype} {' x '.join(map(str, result.shape))}"
