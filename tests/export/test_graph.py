import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from imgen.errors import ModelError, UsageError
from imgen.networks.inpainter import Inpainter
from imgen.spec import KEY, Spec
from imgen_export.graph import export

SPEC = Spec(name="tiny", task="inpaint", licence="CC0-1.0", inputs=("image", "mask"), multiple=16)


def tiny() -> Inpainter:
    torch.manual_seed(0)
    net = Inpainter(Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2))
    torch.nn.init.normal_(net.leave[0].weight, std=0.1)
    return net


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    for graph in ("core", "embed"):
        export(tiny(), folder / f"{graph}.onnx", SPEC, graph)
    return folder


def run(path: Path, **feed: Any) -> np.ndarray:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, feed)[0]


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 16, 176), (3, 112, 48), (1, 272, 16), (1, 80, 240)])
def test_core_equals_torch_at_sizes_it_was_not_traced_at(files: Path, batch: int, height: int, width: int) -> None:
    image, mask = torch.rand(batch, 3, height, width), (torch.rand(batch, 1, height, width) > 0.7).float()
    with torch.inference_mode():
        wanted = tiny().eval()(image, mask).numpy()
    got = run(files / "core.onnx", image=image.numpy(), mask=mask.numpy())
    assert np.abs(got - wanted).max() <= 1e-4


@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 31), (100, 3)])
def test_embed_takes_any_size_and_keeps_known_bytes(files: Path, height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (2, height, width, 3), np.uint8)
    mask = rng.integers(0, 2, (2, height, width), np.uint8) * 255
    got = run(files / "embed.onnx", image=image, mask=mask)
    assert got.dtype == np.uint8
    assert got.shape == image.shape
    assert np.array_equal(got[mask == 0], image[mask == 0])


def test_an_image_of_which_nothing_is_known_becomes_an_image(files: Path) -> None:
    image, mask = torch.rand(1, 3, 32, 48), torch.ones(1, 1, 32, 48)
    got = run(files / "core.onnx", image=image.numpy(), mask=mask.numpy())
    with torch.inference_mode():
        assert np.abs(got - tiny().eval()(image, mask).numpy()).max() <= 1e-4
    assert got.min() >= 0


def test_the_file_describes_itself_and_leaks_nothing(files: Path) -> None:
    model = onnx.load(files / "core.onnx")
    spec = Spec.from_json({p.key: p.value for p in model.metadata_props}[KEY], "core.onnx")
    assert spec.parity["max_difference"] <= 1e-4
    assert len(spec.parity["sizes"]) >= 4
    assert any(batch == 3 for batch, _, _ in spec.parity["sizes"])
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert b"/imgen/" not in (files / "core.onnx").read_bytes()
    sidecar = json.loads((files / "core.json").read_text())
    assert sidecar["io"]["image"] == {"dtype": "float", "shape": ["batch", 3, "16*rows", "16*columns"]}
    assert sidecar["file"]["bytes"] == (files / "core.onnx").stat().st_size


def test_a_graph_that_differs_is_not_written(tmp_path: Path) -> None:
    class Fickle(Inpainter):
        """Gives something else each time it is asked."""

        def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            self.calls = getattr(self, "calls", 0) + 1
            return super().forward(image, mask) + 0.01 * self.calls

    with pytest.raises(ModelError, match="differs from torch"):
        export(Fickle(Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2)), tmp_path / "x.onnx", SPEC)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="graph must be"):
        export(tiny(), tmp_path / "x.onnx", SPEC, "other")
