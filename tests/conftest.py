"""What tests share: a home of their own, and tiny model files made with onnx."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from imgen.spec import KEY, Spec

INPAINT = Spec("tiny-inpaint", "inpaint", "CC0-1.0", inputs=("image", "mask"), multiple=8, size=512)


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the user's cache of models or the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMGEN_HOME", str(tmp_path_factory.mktemp("imgen-home")))
        patch.setenv("IMGEN_OFFLINE", "1")
        yield


def _inpaint_graph() -> onnx.GraphProto:
    """The image, with the mean colour of what is known in place of what is masked."""
    constants = {"one": helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])}
    constants["axes"] = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    nodes = [
        helper.make_node("Sub", ["one", "mask"], ["known"]),
        helper.make_node("Mul", ["image", "known"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "axes"], ["total"]),
        helper.make_node("ReduceSum", ["known", "axes"], ["count"]),
        helper.make_node("Max", ["count", "one"], ["divisor"]),
        helper.make_node("Div", ["total", "divisor"], ["mean"]),
        helper.make_node("Mul", ["mask", "mean"], ["fill"]),
        helper.make_node("Add", ["kept", "fill"], ["output"]),
    ]

    def value(name: str, channels: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "h", "w"])

    inputs = [value("image", 3), value("mask", 1)]
    return helper.make_graph(nodes, "tiny", inputs, [value("output", 3)], list(constants.values()))


@pytest.fixture(scope="session")
def write_inpaint_model() -> Callable[..., Path]:
    """Write the tiny inpainting model to a path: ``write(path, licence="MIT")`` changes its spec."""

    def write(path: Path, **changes: Any) -> Path:
        model = helper.make_model(_inpaint_graph(), opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        helper.set_model_props(model, {KEY: replace(INPAINT, **changes).to_json()})
        onnx.save(model, path)
        return path

    return write


@pytest.fixture(scope="session")
def inpaint_model(write_inpaint_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny .onnx file of task "inpaint", multiple 8, size 512: masked pixels get the mean colour of the rest."""
    return write_inpaint_model(tmp_path_factory.mktemp("models") / "tiny-inpaint.onnx")
