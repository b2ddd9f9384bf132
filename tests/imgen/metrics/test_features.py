from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from imgen import weights
from imgen.errors import ImgenError, ModelError, UnknownNameError
from imgen.metrics import compare_sets, describe, open_extractor
from imgen.networks.conv import ConvDiscriminator, ConvEncoder
from imgen.spec import Spec

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 8, 8), np.uint8)


def write_onnx(path: Path, count: int | str = "n", side: int | str = "s") -> Path:
    """The image itself as features: maps of 3 channels."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [count, 3, side, side])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [count, 3, side, side])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "maps", [value], [result])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.mark.parametrize(("values", "low", "high"), [("0..255", 0, 255), ("0..1", 0, 1), ("-1..1", -1, 1)])
@pytest.mark.parametrize("count", ["n", 1])
def test_a_file_gets_the_range_it_takes_and_maps_are_averaged(
    tmp_path: Path, values: str, low: float, high: float, count: int | str
) -> None:
    extractor = open_extractor(str(write_onnx(tmp_path / "maps.onnx", count)), size=8, values=values)
    found = describe(extractor, [IMAGES[:4], IMAGES[4:]])
    expected = IMAGES.mean((2, 3)) / 255 * (high - low) + low
    assert found.features == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert found.probabilities is None


def test_a_file_says_its_size_and_images_are_resized_to_it(tmp_path: Path) -> None:
    extractor = open_extractor(str(write_onnx(tmp_path / "maps.onnx", side=4)))
    assert (extractor.size, extractor.channels) == (4, 3)
    found = describe(extractor, [IMAGES])
    assert found.features.shape == (6, 3)
    assert found.features == pytest.approx(IMAGES.mean((2, 3)), abs=12)


def test_the_name_of_a_file_changes_with_its_bytes(tmp_path: Path) -> None:
    first = open_extractor(str(write_onnx(tmp_path / "maps.onnx")))
    second = open_extractor(str(write_onnx(tmp_path / "maps.onnx", side=4)))
    assert first.name != second.name
    assert first.name.startswith("maps:")


class Means(nn.Module):
    def forward(self, image: Tensor, return_features: bool = False) -> Tensor:
        return image.mean((2, 3)) if return_features else image.sum()


@pytest.mark.filterwarnings("ignore:.*torch.jit.s:FutureWarning")
def test_torchscript_is_asked_for_features(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(Means()), tmp_path / "means.pt")
    extractor = open_extractor(str(tmp_path / "means.pt"), size=8)
    assert describe(extractor, [IMAGES]).features == pytest.approx(IMAGES.mean((2, 3)), rel=1e-5)


def test_a_classifier_of_a_run_gives_features_and_probabilities(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ConvDiscriminator(ConvDiscriminator.Config(8, 3, width=4, outputs=5)).eval()
    weights.save(network, tmp_path / "model.safetensors", Spec("c", "classify", "CC0-1.0", inputs=("image",)))
    extractor = open_extractor(str(tmp_path))
    assert extractor.name == open_extractor(str(tmp_path / "model.safetensors")).name
    found = describe(extractor, [IMAGES])
    scored = network(torch.from_numpy(IMAGES) / 127.5 - 1)
    assert found.features == pytest.approx(scored.features[-1].mean((2, 3)).detach().numpy(), abs=1e-5)
    assert found.probabilities == pytest.approx(scored.logits.softmax(1).detach().numpy(), abs=1e-5)


def test_refuses_files_that_are_no_feature_networks(tmp_path: Path) -> None:
    encoder = ConvEncoder(ConvEncoder.Config(8, 3, 1, width=4))
    weights.save(encoder, tmp_path / "encoder.safetensors", Spec("e", "encode", "CC0-1.0", inputs=("image",)))
    (tmp_path / "broken.onnx").write_bytes(b"no")
    (tmp_path / "broken.pt").write_bytes(b"no")
    for name, message in (
        ("encoder.safetensors", "no classifier"),
        ("broken.onnx", "onnxruntime cannot load it"),
        ("broken.pt", "no TorchScript"),
        ("missing.onnx", "no such file"),
    ):
        with pytest.raises(ModelError, match=message):
            open_extractor(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "how", "message"),
    [("efficientnet", {}, "did you mean 'efficientnet-lite0'"), ("x.onnx", {"values": "0..2"}, "no range")],
)
def test_refuses_names_it_does_not_know(name: str, how: dict[str, str], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        open_extractor(name, values=how.get("values", "0..255"))


def test_no_images_are_refused() -> None:
    class Nothing:
        name, size, channels = "nothing", 8, 3

    with pytest.raises(ImgenError, match="no images"):
        describe(Nothing(), [])  # type: ignore[arg-type]


def test_sets_are_compared_under_the_name_of_the_network() -> None:
    extractor = open_extractor("efficientnet-lite0")
    seen = describe(extractor, [IMAGES])
    assert seen.features.shape == (6, 1280)
    assert seen.probabilities is not None
    assert seen.probabilities.sum(1) == pytest.approx(np.ones(6), rel=1e-4)
    found = compare_sets(seen, seen, extractor.name)
    assert found["frechet[efficientnet-lite0]"] == pytest.approx(0, abs=1e-3)
    assert found["precision[efficientnet-lite0]"] == found["coverage[efficientnet-lite0]"] == 1
    assert "score[efficientnet-lite0]" not in found  # which six images cannot have
