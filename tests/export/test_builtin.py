import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from imgen import weights
from imgen.errors import ModelError
from imgen.networks.conv import ConvDecoder
from imgen.networks.inpainter import Inpainter
from imgen.runtime import load
from imgen.spec import Spec
from imgen_apps.generation import Generation
from imgen_export.builtin import add, rounded
from imgen_export.compact import SMALLEST

SPEC = Spec(name="mine", task="inpaint", licence="CC0-1.0", inputs=("image", "mask"), multiple=16)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = Inpainter(Inpainter.Config(half=8, quarter=8, eighth=16, blocks=2))
    torch.nn.init.normal_(network.leave[0].weight, std=0.1)
    path = tmp_path / "model.safetensors"
    weights.save(network, path, SPEC)
    return path


def test_a_model_is_written_in_all_forms_at_half_the_size(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "catalogue.json").write_text(json.dumps({"small": {"default": True, "sha256": "of before"}}))
    add([trained], "small", folder)
    entry = json.loads((folder / "catalogue.json").read_text())["small"]
    assert entry["default"]
    assert (entry["task"], entry["licence"], entry["card"]) == ("inpaint", "CC0-1.0", "small.md")
    stored = folder / "small.safetensors"
    assert stored.stat().st_size < 0.6 * trained.stat().st_size
    large = [
        tensor for tensor in onnx.load(folder / "small.onnx").graph.initializer if np.prod(tensor.dims) >= SMALLEST
    ]
    assert len(large) > 5
    assert {tensor.data_type for tensor in large} == {onnx.TensorProto.FLOAT16}
    network, image, mask = weights.load(stored), torch.rand(1, 3, 32, 48), torch.zeros(1, 1, 32, 48)
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
    mask[..., 8:24, 16:40] = 1
    with torch.inference_mode():
        wanted = network(image, mask).numpy()
    session = onnxruntime.InferenceSession(folder / "small.onnx", providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"image": image.numpy(), "mask": mask.numpy()})[0] - wanted).max() < 1e-5
    assert weights.read_spec(stored) == replace(SPEC, name="small", network="inpainter", config=network.config_dict())


def test_weights_that_are_not_those_of_half_precision_are_kept(trained: Path) -> None:
    from safetensors.torch import load_file

    assert max(load_file(trained).values(), key=torch.numel).dtype == torch.float32


def test_weights_beyond_half_precision_are_refused(trained: Path) -> None:
    network = weights.load(trained)
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] = 1e5
    with pytest.raises(ModelError, match="beyond 65504"):
        rounded(network)


def test_a_generator_has_one_graph(tmp_path: Path) -> None:
    network = ConvDecoder(ConvDecoder.Config(8, 3, code=4, width=4))
    spec = Spec("mine", "generate", "CC0-1.0", inputs=("code",), size=8, code=4, prior="normal")
    weights.save(network, tmp_path / "model.safetensors", spec)
    (tmp_path / "catalogue.json").write_text("{}")
    add([tmp_path / "model.safetensors"], "dots", tmp_path)
    assert sorted(path.name for path in tmp_path.glob("dots*")) == ["dots.json", "dots.onnx", "dots.safetensors"]
    model = load(tmp_path / "dots.onnx", device="cpu")
    (made,) = Generation(model)(np.zeros(5, np.int64), seed=1)
    assert made.shape == (5, 3, 8, 8)
