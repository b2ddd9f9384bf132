from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from imgen.errors import ModelError
from imgen.runtime import load, onnxfile
from imgen.spec import KEY, Spec


def save(path: Path, nodes: list[onnx.NodeProto], *, domain: str = "", weights=(), spec: str | None = "") -> Path:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in ("image", "result")]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], weights)
    opsets = [helper.make_opsetid("", 18), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    if spec is not None:
        helper.set_model_props(model, {KEY: spec or Spec("m", "inpaint", "MIT").to_json()})
    path.write_bytes(model.SerializeToString())
    return path


RELU = helper.make_node("Relu", ["image"], ["result"])


def test_reads_the_description(inpaint_model: Path) -> None:
    data, spec = onnxfile.read(inpaint_model)
    assert data == inpaint_model.read_bytes()
    assert (spec.name, spec.task, spec.inputs) == ("tiny-inpaint", "inpaint", ("image", "mask"))


def test_is_not_fooled_by_large_weights(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "w")
    add = helper.make_node("Add", ["image", "w"], ["result"])
    result = load(save(tmp_path / "m.onnx", [add], weights=[weight]), device="cpu")(np.zeros((1, 3, 4, 4), np.float32))
    assert (result == 1).all()


def external_weight() -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.ones((1,), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return tensor


def sparse() -> onnx.SparseTensorProto:
    values, places = np.ones(1, np.float32), np.zeros(1, np.int64)
    return helper.make_sparse_tensor(numpy_helper.from_array(values, "w"), numpy_helper.from_array(places), [9])


def save_sparse(path: Path) -> Path:
    model = onnx.load(save(path, [RELU]))
    model.graph.sparse_initializer.append(sparse())
    path.write_bytes(model.SerializeToString())
    return path


def loop() -> onnx.NodeProto:
    body = helper.make_graph([RELU], "body", [], [helper.make_tensor_value_info("result", TensorProto.FLOAT, None)])
    return helper.make_node("If", ["image"], ["result"], then_branch=body, else_branch=body)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: save(p, [loop()]), "loops or branches"),
        (lambda p: save(p, [RELU], weights=[external_weight()]), "weights in another file"),
        (
            lambda p: save(p, [helper.make_node("Constant", [], ["result"], value=external_weight())]),
            "weights in another file",
        ),
        (
            lambda p: save(
                p,
                [helper.make_node("EPContext", ["image"], ["result"], domain="com.microsoft")],
                domain="com.microsoft",
            ),
            "operators of 'com.microsoft'",
        ),
        (save_sparse, "sparse weights"),
        (lambda p: save(p, [helper.make_node("Constant", [], ["result"], sparse_value=sparse())]), "sparse weights"),
        (lambda p: save(p, [RELU], spec="nonsense"), "not JSON"),
        (lambda p: save(p, [RELU], spec=Spec("m", "upscale", "MIT", multiple=0).to_json()), "says multiple 0"),
        (lambda p: save(p, [RELU], spec=Spec("m", "upscale", "MIT", scale=2.5).to_json()), "says scale 2.5"),
        (lambda p: save(p, [RELU], spec=Spec("m", "upscale", "MIT", outputs=()).to_json()), "says outputs ()"),
        (lambda p: save(p, [RELU], spec=Spec("m", "inpaint", "MIT", graph="embed").to_json()), "'embed' graph"),
    ],
)
def test_refuses_what_is_not_plain(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    path = make(tmp_path / "m.onnx")
    with pytest.raises(ModelError) as caught:
        onnxfile.read(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100, b"not a model, but text\n" * 9, b"\xff" * 40, b"\x89PNG\r\n\x1a\n"]
)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not an ONNX file, or cut short"):
        load(path, device="cpu")


def test_any_cut_is_a_model_error(inpaint_model: Path, tmp_path: Path) -> None:
    whole = inpaint_model.read_bytes()
    path = tmp_path / "m.onnx"
    for length in range(0, len(whole), 9):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            load(path, device="cpu")


@settings(max_examples=200, deadline=None)
@given(position=st.integers(0, 900), value=st.integers(0, 255))
def test_damage_is_a_model_error_or_harmless(inpaint_model: Path, tmp_path_factory, position: int, value: int) -> None:
    data = bytearray(inpaint_model.read_bytes())
    data[position % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(data)
    try:
        onnxfile.read(path)
    except ModelError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may also be harmless


def test_size_is_capped(inpaint_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxfile, "MAX_BYTES", 100)
    with pytest.raises(ModelError, match="refused"):
        onnxfile.read(inpaint_model)


def test_inputs_must_be_those_of_the_spec(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [RELU], spec=Spec("m", "inpaint", "MIT", inputs=("image", "mask")).to_json())
    with pytest.raises(ModelError, match=r"takes image tensor\(float\) but says image tensor\(float\), mask tensor"):
        load(path, device="cpu")


def test_outputs_must_be_those_of_the_spec(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [RELU], spec=Spec("m", "derain", "MIT", outputs=("result", "attention")).to_json())
    with pytest.raises(ModelError, match="gives result but says outputs result, attention; export it again"):
        load(path, device="cpu")


def test_invalid_graph_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "m.onnx", [helper.make_node("NoSuchOperator", ["image"], ["result"])])
    with pytest.raises(ModelError, match="onnxruntime cannot load it") as caught:
        load(path, device="cpu")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
