"""Convolutions in 8 bits: what they lose against the truth, and when they are refused."""

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from imgen.errors import ModelError, UsageError
from imgen.networks.upscaler import Upscaler
from imgen.runtime import load
from imgen.runtime.catalogue import find_model
from imgen.spec import Spec
from imgen_export import quantize
from imgen_export.calibration import examples
from imgen_export.compact import restore
from imgen_export.graph import export
from imgen_export.variant import Variant

SPEC = Spec("tiny", "upscale", "CC0-1.0", scale=2, receptive_field="finite", radius=5)
HOLES = Spec("tiny", "inpaint", "CC0-1.0", inputs=("image", "mask"), multiple=16)
SIZE = (32, 48)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for number in range(6):
        coarse = rng.integers(0, 256, (12, 16, 3), np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC))
    (folder / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture(autouse=True)
def faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """How fast tiny networks are depends on the machine."""
    monkeypatch.setattr(quantize, "speed_ratio", lambda *_: 1.5)


def tiny(loud: float = 0.0) -> Upscaler:
    """Half of the result goes through all layers; ``loud`` is the level of a channel that no layer takes."""
    torch.manual_seed(0)
    network = Upscaler(Upscaler.Config(scale=2, width=16, depth=3))
    with torch.no_grad():
        for layer in (network.enter, *network.body, network.leave):
            layer.bias.zero_()
        network.enter.weight.zero_()
        network.interpolate.weight *= 0.5
        for colour in range(3):
            network.enter.weight[colour + 1, colour, 1, 1] = 1
            network.leave.weight[4 * colour : 4 * colour + 4, colour + 1, 1, 1] = 0.5
        for layer in network.body:
            layer.weight[:, 0] = 0
        for layer in (network.enter, *network.body):
            layer.bias[0] = loud
    return network.eval()


def convolutions(path: Path) -> list[str]:
    """Of each, what makes its weights."""
    graph = onnx.load(path).graph
    made = {output: node.op_type for node in graph.node for output in node.output}
    return [made.get(node.input[1], "stored") for node in graph.node if node.op_type == "Conv"]


@pytest.mark.parametrize("graph", ["core", "embed"])
def test_inner_convolutions_are_quantised_and_the_file_says_what_that_costs(
    graph: str, photos: Path, tmp_path: Path
) -> None:
    spec = export(tiny(), tmp_path / "out.onnx", SPEC, graph, variant=Variant("int8", size=SIZE, photos=photos))
    made = convolutions(tmp_path / "out.onnx")
    assert made.count("DequantizeLinear") == 2
    assert (made[0], len(made)) == ("Cast", 6)  # as they were: the first, the last two, and that which interpolates
    scales = [tensor for tensor in onnx.load(tmp_path / "out.onnx").graph.initializer if "scale" in tensor.name]
    assert any(list(tensor.dims) == [16] for tensor in scales)  # of each channel its own
    assert abs(spec.parity["loss"]) < 0.3
    assert (spec.parity["faster"], spec.parity["photos"], spec.precision) == (1.5, 2, "int8")
    assert {entry.domain for entry in onnx.load(tmp_path / "out.onnx").opset_import} == {""}
    assert json.loads((tmp_path / "out.json").read_text())["parity"]["loss"] == spec.parity["loss"]


def test_imgen_runs_what_it_has_quantised(photos: Path, tmp_path: Path) -> None:
    export(tiny(), tmp_path / "out.onnx", SPEC, variant=Variant("int8", photos=photos))
    image = np.random.default_rng(0).random((1, 3, 21, 34), np.float32)
    with torch.inference_mode():
        wanted = tiny()(torch.from_numpy(image)).numpy()
    difference = np.abs(load(tmp_path / "out.onnx", device="cpu")(image) - wanted).max()
    assert 0 < difference < 0.03


def test_holes_are_drawn_where_the_network_takes_them(photos: Path) -> None:
    learnt, held = examples(HOLES, photos, SIZE)
    assert (len(learnt), len(held)) == (4, 2)
    for each in (*learnt, *held):
        assert each.feed["mask"].shape == (1, 1, *SIZE)
        assert 0 < each.feed["mask"].mean() < 1
        assert each.score(_shown(each.truth)) == float("inf")
        hidden = np.where(each.feed["mask"] > 0, 0.5, each.feed["image"]).astype(np.float32)
        away = np.square(each.truth[each.feed["mask"][0, 0] > 0] - 128.0).mean()
        assert each.score(hidden) == pytest.approx(10 * np.log10(255**2 / away))


def test_two_inputs_are_calibrated(photos: Path) -> None:
    model = onnx.load(find_model("inpaint-base"))
    restore(model)
    learnt, _ = examples(HOLES, photos, SIZE)
    kinds = [node.op_type for node in quantize.in_int8(model, learnt).graph.node]
    assert kinds.count("QuantizeLinear") > 10
    assert kinds.count("Conv") == [node.op_type for node in model.graph.node].count("Conv")


def test_where_much_is_lost_more_layers_stay(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = onnx.load(find_model("upscale-x2"))
    restore(model)
    learnt, _ = examples(SPEC, photos, SIZE)

    def quantised(graph: onnx.ModelProto) -> int:
        made = {name for node in graph.graph.node if node.op_type == "DequantizeLinear" for name in node.output}
        return sum(node.op_type == "Conv" and node.input[1] in made for node in graph.graph.node)

    counts = [quantised(quantize.in_int8(model, learnt, kept)) for kept in (1, 2, 3, 99)]
    assert counts == [counts[0], counts[0] - 1, counts[0] - 2, 1]
    monkeypatch.setattr(quantize, "speed_ratio", lambda *_: 1.5)
    variant = Variant("int8", size=SIZE, photos=photos, max_loss=99)
    assert quantised(quantize.quantize(model, SPEC, variant)[0]) == counts[0]
    scores = iter([30.0, 29.0, 29.5, 30.0])  # in single precision, then with more and more layers kept
    monkeypatch.setattr(quantize, "_mean_score", lambda *_: next(scores))
    graph, found = quantize.quantize(model, SPEC, Variant("int8", size=SIZE, photos=photos))
    assert (quantised(graph), found["loss"]) == (counts[2], 0)


def test_too_great_a_loss_is_refused(photos: Path, tmp_path: Path) -> None:
    variant = Variant("int8", size=SIZE, photos=photos)
    with pytest.raises(ModelError, match=r"dB of .* lost on 2 photos.*--max-loss allows 0.3 dB; not written"):
        export(tiny(loud=3000), tmp_path / "out.onnx", SPEC, variant=variant)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_faster_is_refused(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "speed_ratio", lambda *_: 0.9)
    with pytest.raises(ModelError, match=r"0\.90 times as fast as fp32 on this processor; not written"):
        export(tiny(), tmp_path / "out.onnx", SPEC, variant=Variant("int8", size=SIZE, photos=photos))
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_quantised_is_refused(photos: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    (few / "one.png").write_bytes((photos / "0.png").read_bytes())
    for folder, spec, said in (
        (few, SPEC, "holds 1 photographs that can be read; int8 takes 6 or more"),
        (tmp_path / "none", SPEC, "is not a folder"),
        (photos, Spec("no", "detect-face", "CC0-1.0"), "'no' is for detect-face; what int8 loses"),
    ):
        with pytest.raises(UsageError, match=said):
            quantize.quantize(onnx.ModelProto(), spec, Variant("int8", size=SIZE, photos=folder))
    model = onnx.load(find_model("upscale-x2"))
    restore(model)
    layers = [node for node in model.graph.node if node.op_type == "Conv"]
    for layer in layers[1:]:
        layer.op_type = "ConvTranspose"
    with pytest.raises(UsageError, match="no convolution between the first and the last"):
        quantize.in_int8(model, examples(SPEC, photos, SIZE)[0])


def _shown(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255
