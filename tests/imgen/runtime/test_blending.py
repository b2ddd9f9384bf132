"""Blends of two tiny upscalers: pixels shuffled out of a convolution that has a bias."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from imgen.errors import ModelError, UsageError
from imgen.runtime import load, load_blend
from imgen.spec import KEY, Spec


def make(
    path: Path,
    seed: int,
    *,
    kernel: int = 3,
    activation: str = "Relu",
    size: int = 4,
    licence: str = "MIT",
    stored: type[np.floating] = np.float32,
) -> Path:
    generator = np.random.default_rng(seed)
    weights = [
        numpy_helper.from_array(generator.random((12, 3, kernel, kernel), np.float32).astype(stored), "stored"),
        numpy_helper.from_array(generator.random(12, np.float32), "layer.bias"),
        numpy_helper.from_array(np.array([1, 12, -1, size], np.int64), "shape"),
    ]
    nodes = [
        helper.make_node("Cast", ["stored"], ["layer.weight"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["image", "layer.weight", "layer.bias"], ["x"], pads=[kernel // 2] * 4),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
        helper.make_node(activation, ["y"], ["z"]),
        helper.make_node("DepthToSpace", ["z"], ["result"], blocksize=2, mode="CRD"),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in ("image", "result")]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {KEY: Spec(path.stem, "upscale", licence, scale=2, metrics={"psnr": 1}).to_json()})
    onnx.save(model, path)
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return make(tmp_path / "one.onnx", 1), make(tmp_path / "two.onnx", 2, licence="CC0-1.0")


IMAGE = np.random.default_rng(0).random((1, 3, 4, 4), np.float32)


def test_weights_in_half_precision_are_blended_too(tmp_path: Path) -> None:
    one, two = (make(tmp_path / f"{seed}.onnx", seed, stored=np.float16) for seed in (1, 2))
    first, second = (load(path, device="cpu")(IMAGE) for path in (one, two))
    assert np.abs(first - second).max() > 0.1
    between = load_blend(one, two, 0.25, device="cpu")(IMAGE)
    np.testing.assert_allclose(between, 0.75 * first + 0.25 * second, rtol=2e-3)
    with pytest.raises(ModelError, match="not of the architecture"):
        load_blend(one, make(tmp_path / "full.onnx", 2), 0.5, device="cpu")


def test_weights_are_between_those_of_the_two(pair: tuple[Path, Path]) -> None:
    before = [path.read_bytes() for path in pair]
    one, two = (load(path, device="cpu")(IMAGE) for path in pair)
    between = load_blend(*pair, 0.25, device="cpu")
    np.testing.assert_allclose(between(IMAGE), 0.75 * one + 0.25 * two, rtol=1e-5)  # all weights are positive
    assert (between.spec.name, between.spec.licence) == ("one with 0.25 of two", "CC0-1.0 AND MIT")
    assert (between.spec.scale, between.spec.metrics) == (2, {})
    assert [path.read_bytes() for path in pair] == before


def test_the_ends_are_the_models_themselves(pair: tuple[Path, Path]) -> None:
    for amount, path in zip((0, 1), pair, strict=True):
        end, model = load_blend(*pair, amount, device="cpu"), load(path, device="cpu")
        assert end.spec == model.spec
        assert np.array_equal(end(IMAGE), model(IMAGE))


@pytest.mark.parametrize("change", [{"kernel": 5}, {"activation": "Tanh"}, {"size": 2}])
def test_only_one_architecture(pair: tuple[Path, Path], tmp_path: Path, change: dict[str, int]) -> None:
    other = make(tmp_path / "other.onnx", 3, **change)
    with pytest.raises(ModelError, match=r"other\.onnx: not of the architecture of .*one\.onnx"):
        load_blend(pair[0], other, 0.5, device="cpu")


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_amounts_out_of_range(pair: tuple[Path, Path], amount: float) -> None:
    with pytest.raises(UsageError, match="amount is"):
        load_blend(*pair, amount)


def test_only_onnx_files(pair: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "two.safetensors"
    other.touch()
    with pytest.raises(ModelError, match=r"only \.onnx files are blended"):
        load_blend(pair[0], other, 0.5)
