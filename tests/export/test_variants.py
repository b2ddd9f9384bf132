"""Half precision that would overflow, other opsets, fixed sizes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from imgen.errors import ModelError, UsageError
from imgen.networks.conv import ConvDecoder
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.upscaler import Upscaler
from imgen.runtime import load
from imgen.spec import Spec
from imgen_export.graph import export
from imgen_export.variant import Variant

SPEC = Spec("tiny", "upscale", "CC0-1.0", scale=2, receptive_field="finite", radius=5)
IMAGE = np.random.default_rng(0).random((1, 3, 20, 24), np.float32)
CODES = Spec("codes", "generate", "CC0-1.0", inputs=("code",), size=8, code=5)
HALF = onnx.TensorProto.FLOAT16


def tiny(gain: float = 1.0) -> Upscaler:
    """Its inner values grow by the gain, and shrink again at the end."""
    torch.manual_seed(0)
    network = Upscaler(Upscaler.Config(scale=2, width=16, depth=3))
    for layer in (network.enter, *network.body, network.leave):
        torch.nn.init.normal_(layer.weight, std=0.1)
        torch.nn.init.zeros_(layer.bias)
    network.enter.weight.data *= gain
    network.leave.weight.data /= gain
    return network.eval()


def codes() -> ConvDecoder:
    torch.manual_seed(0)
    return ConvDecoder(ConvDecoder.Config(8, 1, code=5, width=4)).eval()


def session(path: Path) -> Any:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def in_half(path: Path) -> list[bool]:
    """Of each convolution, whether its weights are in half precision."""
    graph = onnx.load(path).graph
    half = {tensor.name for tensor in graph.initializer if tensor.data_type == HALF}
    return [node.input[1] in half for node in graph.node if node.op_type == "Conv"]


def test_half_precision_is_run_by_imgen_and_is_near(tmp_path: Path) -> None:
    spec = export(tiny(), tmp_path / "half.onnx", SPEC, variant=Variant("fp16"))
    assert all(in_half(tmp_path / "half.onnx"))
    model = load(tmp_path / "half.onnx", device="cpu")
    assert model.spec.precision == "fp16"
    with torch.inference_mode():
        wanted = tiny()(torch.from_numpy(IMAGE)).numpy()
    assert np.abs(model(IMAGE) - wanted).max() < 0.01
    assert 1e-5 < spec.parity["max_difference"] < 0.01  # roundings that onnxruntime takes away on CPUs are counted
    assert json.loads((tmp_path / "half.json").read_text())["precision"] == "fp16"


def test_what_would_overflow_stays_in_single_precision(tmp_path: Path) -> None:
    spec = export(tiny(1e6), tmp_path / "half.onnx", SPEC, variant=Variant("fp16"))
    layers = in_half(tmp_path / "half.onnx")
    assert True in layers
    assert False in layers
    assert spec.parity["largest_inside"] <= 65504 / 4
    with torch.inference_mode():
        wanted = tiny(1e6)(torch.from_numpy(IMAGE)).numpy()
    got = session(tmp_path / "half.onnx").run(None, {"image": IMAGE})[0]
    assert np.isfinite(got).all()
    assert np.abs(got - wanted).max() < 0.01


def test_half_precision_far_from_torch_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgen_export.half.LEAST_PSNR", 140.0)
    with pytest.raises(ModelError, match=r"dB from torch, less than 140; not written, take fp32"):
        export(tiny(), tmp_path / "half.onnx", SPEC, variant=Variant("fp16"))
    assert list(tmp_path.iterdir()) == []


def test_norms_stay_in_single_precision_and_take_statistics(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = TranslationResNet(TranslationResNet.Config(width=4, blocks=1)).eval()
    spec = Spec("tiny", "translate", "CC0-1.0", multiple=4, receptive_field="normalised")
    export(network, tmp_path / "half.onnx", spec, variant=Variant("fp16"))
    assert all(in_half(tmp_path / "half.onnx"))
    model = load(tmp_path / "half.onnx", device="cpu")
    np.testing.assert_allclose(model.normalised(IMAGE, model.statistics(IMAGE)), model(IMAGE), atol=2e-3)


@pytest.mark.parametrize("opset", [17, 20, 22])
def test_other_opsets_do_the_same(opset: int, tmp_path: Path) -> None:
    spec = export(codes(), tmp_path / "out.onnx", CODES, variant=Variant(opset=opset))
    assert spec.parity["opset"] == opset
    assert onnx.load(tmp_path / "out.onnx").opset_import[0].version == opset
    assert json.loads((tmp_path / "out.json").read_text())["opset"] == opset
    code = torch.randn(4, 5)
    got = session(tmp_path / "out.onnx").run(None, {"code": code.numpy()})[0]
    assert np.abs(got - (codes()(code).detach().numpy() + 1) / 2).max() < 1e-5


def test_an_opset_that_has_not_what_it_takes_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="opset 13") as caught:
        export(tiny(), tmp_path / "out.onnx", SPEC, variant=Variant(opset=13))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("graph", "precision"), [("core", "fp32"), ("embed", "fp16")])
def test_a_size_is_fixed(graph: str, precision: str, tmp_path: Path) -> None:
    spec = export(tiny(), tmp_path / "out.onnx", SPEC, graph, variant=Variant(precision, size=(20, 24)))
    assert (spec.fixed, spec.parity["sizes"]) == ((1, 20, 24), [(1, 20, 24)])
    shape = [1, 3, 20, 24] if graph == "core" else [1, 20, 24, 3]
    (taken,), (made,) = (
        ends() for ends in (session(tmp_path / "out.onnx").get_inputs, session(tmp_path / "out.onnx").get_outputs)
    )
    assert taken.shape == shape
    assert made.shape == [2 * side if side in (20, 24) else side for side in shape]
    assert not any(node.op_type == "Shape" for node in onnx.load(tmp_path / "out.onnx").graph.node)
    assert json.loads((tmp_path / "out.json").read_text())["io"]["image"]["shape"] == shape
    assert Spec.from_json(spec.to_json(), "spec").fixed == (1, 20, 24)
    with pytest.raises(ModelError, match="one size of image alone" if graph == "core" else "made for other programs"):
        load(tmp_path / "out.onnx")


def test_a_generator_has_one_size(tmp_path: Path) -> None:
    spec = export(codes(), tmp_path / "out.onnx", CODES, variant=Variant(size=(8, 8)))
    assert spec.fixed == (1,)
    assert session(tmp_path / "out.onnx").get_inputs()[0].shape == [1, 5]
    with pytest.raises(UsageError, match="'codes' is for images of 8x8 only, not 8x16"):
        export(codes(), tmp_path / "no.onnx", CODES, variant=Variant(size=(8, 16)))
    with pytest.raises(UsageError, match="for points only"):
        export(codes(), tmp_path / "no.onnx", replace(CODES, size=0), variant=Variant(size=(8, 8)))
    assert not (tmp_path / "no.onnx").exists()


def test_a_size_has_to_fit_the_network(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes sides divisible by 16, not 24x32"):
        export(tiny(), tmp_path / "out.onnx", replace(SPEC, multiple=16), variant=Variant(size=(24, 32)))
    assert list(tmp_path.iterdir()) == []
