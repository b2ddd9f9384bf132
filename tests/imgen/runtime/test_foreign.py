"""ONNX upscalers that carry no description of ours."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from imgen.errors import ModelError
from imgen.runtime import load

FLOAT = TensorProto.FLOAT


def write(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    *,
    shape: Sequence[int | str] = ("n", 3, "h", "w"),
    kind: int = FLOAT,
    outputs: Sequence[str] = ("out",),
) -> Path:
    constants = [
        numpy_helper.from_array(np.array([1, 1, 3, 3], np.float32), "thrice"),
        numpy_helper.from_array(np.array([1, 1, 9, 9], np.float32), "nine times"),
        numpy_helper.from_array(np.array([0, 3, -1], np.int64), "rows"),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("in", kind, shape)],
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


def resize(factor: str) -> onnx.NodeProto:
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return helper.make_node("Resize", ["in", "", factor], ["out"], **how)


def test_the_scale_is_found_by_running(tmp_path: Path) -> None:
    model = load(write(tmp_path / "thrice.onnx", [resize("thrice")]), device="cpu")
    spec = model.spec
    assert (spec.name, spec.task, spec.licence, spec.inputs) == ("thrice", "upscale", "unknown", ("in",))
    assert (spec.scale, spec.multiple, spec.receptive_field) == (3, 1, "global")
    image = np.random.default_rng(0).random((2, 3, 5, 7), np.float32)
    assert np.array_equal(model(image), image.repeat(3, 2).repeat(3, 3))


def test_the_multiple_is_the_smallest_that_runs(tmp_path: Path) -> None:
    blocks = [
        helper.make_node("SpaceToDepth", ["in"], ["deep"], blocksize=4),
        helper.make_node("DepthToSpace", ["deep"], ["x"], blocksize=4),
        helper.make_node("Resize", ["x", "", "thrice"], ["out"]),
    ]
    spec = load(write(tmp_path / "m.onnx", blocks), device="cpu").spec
    assert (spec.scale, spec.multiple) == (3, 4)


RELU = [helper.make_node("Relu", ["in"], ["out"])]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: write(p, RELU), "not an upscaler: of 64 x 64 pixels it makes float32 1 x 3 x 64 x 64 instead of 2"),
        (lambda p: write(p, [resize("nine times")]), "makes float32 1 x 3 x 576 x 576 instead of 2 to 8 times"),
        (lambda p: write(p, [helper.make_node("Reshape", ["in", "rows"], ["out"])]), "makes float32 1 x 3 x 4096"),
        (lambda p: write(p, [resize("thrice")], shape=("n", 4, "h", "w")), "it fails on 64 x 64 pixels"),
        (lambda p: write(p, [resize("thrice")], shape=(1, 3, 64, 64)), "made for one size only, in tensor(float)"),
        (lambda p: write(p, RELU, kind=TensorProto.FLOAT16), "in tensor(float16)"),
        (lambda p: write(p, RELU, shape=("n", "d")), "not an upscaler of one float image"),
        (
            lambda p: write(p, [*RELU, helper.make_node("Abs", ["in"], ["b"])], outputs=("out", "b")),
            "gives 2 results",
        ),
        (lambda p: write(p, [helper.make_node("NoSuchOperator", ["in"], ["out"])]), "onnxruntime cannot load it"),
    ],
)
def test_what_is_no_upscaler_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], make, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        load(make(tmp_path / "m.onnx"), device="cpu")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
