"""What tests share: a home of their own, and tiny model files made with onnx."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from imgen.spec import KEY, Spec

UPSCALE = Spec("tiny-upscale", "upscale", "CC0-1.0", scale=2, size=0, receptive_field="finite", radius=1)
DERAIN = Spec(
    "tiny-derain",
    "derain",
    "CC0-1.0",
    outputs=("result", "attention"),
    multiple=4,
    size=0,
    receptive_field="finite",
    radius=1,
)
TRANSLATE = Spec("tiny-translate", "translate", "CC0-1.0", multiple=4, size=0, receptive_field="normalised", radius=0)
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
        helper.make_node("Add", ["kept", "fill"], ["result"]),
    ]

    inputs = [_value("image", 3), _value("mask", 1)]
    return helper.make_graph(nodes, "tiny", inputs, [_value("result", 3)], list(constants.values()))


def _upscale_graph() -> onnx.GraphProto:
    """Each pixel as two by two of the same."""
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2])
    how = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    node = helper.make_node("Resize", ["image", "", "scales"], ["result"], **how)
    return helper.make_graph([node], "tiny", [_value("image", 3)], [_value("result", 3)], [scales])


def _derain_graph() -> onnx.GraphProto:
    """The negative; drops are where there is more red than green."""
    constants = [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in (("zero", 0), ("one", 1))]
    nodes = [
        helper.make_node("Sub", ["one", "image"], ["result"]),
        helper.make_node("Split", ["image"], ["red", "green", "blue"], axis=1, num_outputs=3),
        helper.make_node("Sub", ["red", "green"], ["redness"]),
        helper.make_node("Clip", ["redness", "zero", "one"], ["attention"]),
    ]
    outputs = [_value("result", 3), _value("attention", 1)]
    return helper.make_graph(nodes, "tiny", [_value("image", 3)], outputs, constants)


def _translate_graph() -> onnx.GraphProto:
    """The negative, each channel with mean 0.5 and deviation 0.25."""
    values = {"scale": [-0.25] * 3, "offset": [0.5] * 3}
    constants = [helper.make_tensor(name, TensorProto.FLOAT, [3], value) for name, value in values.items()]
    node = helper.make_node("InstanceNormalization", ["image", "scale", "offset"], ["result"])
    return helper.make_graph([node], "tiny", [_value("image", 3)], [_value("result", 3)], constants)


def _value(name: str, channels: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "h", "w"])


def _save(graph: onnx.GraphProto, spec: Spec, path: Path) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {KEY: spec.to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture(scope="session")
def write_inpaint_model() -> Callable[..., Path]:
    """Write the tiny inpainting model to a path: ``write(path, licence="MIT")`` changes its spec."""

    def write(path: Path, **changes: Any) -> Path:
        return _save(_inpaint_graph(), replace(INPAINT, **changes), path)

    return write


@pytest.fixture(scope="session")
def inpaint_model(write_inpaint_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny .onnx file of task "inpaint", multiple 8, size 512: masked pixels get the mean colour of the rest."""
    return write_inpaint_model(tmp_path_factory.mktemp("models") / "tiny-inpaint.onnx")


@pytest.fixture(scope="session")
def upscale_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny .onnx file of task "upscale" and scale 2, which repeats pixels."""
    return _save(_upscale_graph(), UPSCALE, tmp_path_factory.mktemp("models") / "tiny-upscale.onnx")


@pytest.fixture(scope="session")
def derain_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny .onnx file of task "derain", multiple 4: the negative, with more attention the more red beats green."""
    return _save(_derain_graph(), DERAIN, tmp_path_factory.mktemp("models") / "tiny-derain.onnx")


@pytest.fixture(scope="session")
def translate_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny .onnx file of task "translate", multiple 4: the negative, as bright and as full of contrast as any."""
    return _save(_translate_graph(), TRANSLATE, tmp_path_factory.mktemp("models") / "tiny-translate.onnx")
