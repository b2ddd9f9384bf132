"""Every model that imgen comes with, in both graphs, in single and in half precision."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from typer.testing import CliRunner

from imgen.cli.main import app
from imgen.runtime.catalogue import entries, find_model
from imgen.spec import KEY, Spec

HALF = onnx.TensorProto.FLOAT16
PSNR = 45.0


def export(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in ("export", *words)])
    assert result.exit_code == 0, result.output
    return result.output


def run(path: Path, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, feed)


def inputs(path: Path) -> dict[str, np.ndarray]:
    """Random arrays for what a graph takes, 32 pixels each way."""
    rng, feed = np.random.default_rng(0), {}
    for value in onnx.load(path).graph.input:
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        shape = [1, *(length or 32 for length in dims[1:])]
        kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        top = 255 if kind == np.uint8 else 1
        if kind == np.int64:  # the styles' numbers
            feed[value.name] = np.zeros(shape, kind)
        else:
            feed[value.name] = rng.integers(0, 256, shape, np.uint8) if top > 1 else rng.random(shape, np.float32)
        if value.name == "mask":
            feed[value.name] = (feed[value.name] > top / 2).astype(kind) * kind.type(top)
    return feed


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(
    ("name", "graph"),
    [
        (name, graph)
        for name, entry in entries().items()
        for graph in ("core", "embed")
        if (graph, entry.task) != ("embed", "generate")  # which takes no pictures
    ],
)
def test_every_built_in_model_is_written_verified_and_runs(
    name: str, graph: str, precision: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.onnx"
    said = export(name, out, "--graph", graph, "--precision", precision)
    assert f"{graph} graph" in said
    model = onnx.load(out)
    onnx.checker.check_model(model, full_check=True)
    spec = Spec.from_json({entry.key: entry.value for entry in model.metadata_props}[KEY], "out.onnx")
    assert (spec.precision, spec.graph, spec.parity["opset"], spec.fixed) == (precision, graph, 18, ())
    assert len(spec.parity["sizes"]) == 4
    core = find_model(name)
    shipped = core if graph == "core" else core.with_stem(f"{core.stem}-{graph}")
    assert [value.type for value in model.graph.input] == [value.type for value in onnx.load(shipped).graph.input]
    feed = inputs(shipped)
    for got, wanted in zip(run(out, feed), run(shipped, feed), strict=True):
        assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
        error = np.square(got.astype(np.float64) - wanted).mean()
        assert error <= (255 if wanted.dtype == np.uint8 else max(1, np.abs(wanted).max())) ** 2 / 10 ** (PSNR / 10)
    if precision == "fp16":
        computed = [node for node in model.graph.node if node.op_type in ("Conv", "ConvTranspose")]
        stored = {tensor.name for tensor in model.graph.initializer if tensor.data_type == HALF}
        assert np.mean([node.input[1] in stored for node in computed]) > 0.8
        assert spec.parity["psnr"] > PSNR
        assert 0 < spec.parity["largest_inside"] <= 65504 / 4
