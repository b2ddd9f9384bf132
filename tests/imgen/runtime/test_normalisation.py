"""Networks that normalise, run by statistics of elsewhere: in onnxruntime, OpenVINO and torch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from imgen.errors import ModelError
from imgen.networks.translation_resnet import TranslationResNet
from imgen.runtime import load
from imgen.spec import KEY, Spec
from imgen.weights import save
from imgen_export.graph import export

SPEC = Spec("twice", "translate", "CC0-1.0", receptive_field="normalised", radius=1)
RANDOM = np.random.default_rng(0)
SCALE, OFFSET = (RANDOM.random(4, np.float32) + 0.5 for _ in range(2))
FIRST, SECOND = (RANDOM.standard_normal((4, before, 1, 1)).astype(np.float32) for before in (3, 4))


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions of single pixels, each normalised, the first one with a scale, an offset and a large epsilon."""
    values = {"first": FIRST, "second": SECOND, "scale": SCALE, "offset": OFFSET, "one": np.ones(4, np.float32)}
    values["zero"] = np.zeros(4, np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "first"], ["a"]),
        helper.make_node("InstanceNormalization", ["a", "scale", "offset"], ["b"], epsilon=0.1),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Conv", ["c", "second"], ["d"]),
        helper.make_node("InstanceNormalization", ["d", "one", "zero"], ["result"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None, "h", "w"]) for name in ("image", "result")
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in values.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:], weights),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    helper.set_model_props(model, {KEY: SPEC.to_json()})
    path = tmp_path_factory.mktemp("models") / "twice.onnx"
    onnx.save(model, path)
    return path


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).random((1, 3, height, width), np.float32)


def by_hand(pixels: np.ndarray, given: list[np.ndarray] | None) -> tuple[np.ndarray, list[np.ndarray]]:
    seen = []
    for index, (weight, scale, offset, epsilon) in enumerate(((FIRST, SCALE, OFFSET, 0.1), (SECOND, 1, 0, 1e-5))):
        x = np.tensordot(weight[..., 0, 0], pixels[0], 1)
        seen.append(np.stack([x.mean((1, 2)), x.var((1, 2))]))
        mean, variance = (seen if given is None else given)[index][..., None, None]
        x = ((x - mean) / np.sqrt(variance + epsilon)).transpose(1, 2, 0) * scale + offset
        pixels = (x if index else x.clip(0)).transpose(2, 0, 1)[None]
    return pixels, seen


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_by_its_own_statistics_and_by_those_of_another_image(twice: Path, device: str) -> None:
    if device == "openvino":
        pytest.importorskip("openvino")
    model, tolerance = load(twice, device=device), 1e-5 if device == "cpu" else 3e-2
    one, other = image(16, 24), image(9, 5) ** 2
    statistics = model.statistics(one)
    for got, wanted in zip(statistics, by_hand(one, None)[1], strict=True):
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(model.normalised(one, statistics), model(one), atol=tolerance)
    result = model.normalised(other, statistics)
    np.testing.assert_allclose(result, by_hand(other, statistics)[0], atol=tolerance)
    assert np.abs(result - model(other)).max() > 0.1


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_a_batch_has_one_set_of_statistics(twice: Path, device: str) -> None:
    if device == "openvino":
        pytest.importorskip("openvino")
    model, tolerance, whole = load(twice, device=device), 1e-5 if device == "cpu" else 3e-2, image(16, 24)
    whole[..., 8:16] **= 2
    parts = model.statistics(np.concatenate([whole[..., :8], whole[..., 8:16], whole[..., 16:]]))
    for got, wanted in zip(parts, model.statistics(whole), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


def test_torch_does_the_same(tmp_path: Path) -> None:
    network = TranslationResNet(TranslationResNet.Config(width=4, blocks=1)).eval()
    spec = replace(SPEC, name="small", multiple=4)
    save(network, tmp_path / "small.safetensors", spec)
    export(network, tmp_path / "small.onnx", spec)
    ours, theirs = (load(tmp_path / f"small.{suffix}", device="cpu") for suffix in ("safetensors", "onnx"))
    parts, other = np.concatenate([image(16, 24), image(16, 24) ** 3]), image(8, 12) ** 2
    statistics = ours.statistics(parts)
    np.testing.assert_allclose(np.concatenate(theirs.statistics(parts), 1), statistics[0], rtol=1e-3, atol=1e-4)
    result = ours.normalised(other, statistics)
    np.testing.assert_allclose(theirs.normalised(other, theirs.statistics(parts)), result, atol=1e-4)
    assert np.abs(result - ours(other)).max() > 1e-3


def test_a_network_that_does_not_normalise_is_refused(derain_model: Path, twice: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="tiny-derain does not say that statistics are all that it sees"):
        load(derain_model, device="cpu").statistics(image(8, 8))
    graph = onnx.load(twice)
    graph.graph.node[1].CopyFrom(helper.make_node("Relu", ["a"], ["b"]))
    graph.graph.node[4].CopyFrom(helper.make_node("Relu", ["d"], ["result"]))
    onnx.save(graph, tmp_path / "plain.onnx")
    with pytest.raises(ModelError, match=r"plain\.onnx: says that it normalises, but has no InstanceNormalization"):
        load(tmp_path / "plain.onnx", device="cpu").statistics(image(8, 8))
