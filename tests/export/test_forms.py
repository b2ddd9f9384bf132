"""Generators as ONNX: code (and label) in, pictures in 0..1 out, the same as the engine decodes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from imgen.engines import ENGINES
from imgen.errors import UsageError
from imgen.networks.conv import ConvDecoder
from imgen.networks.mlp import MLP
from imgen.networks.scale import Shape
from imgen.spec import Spec
from imgen_export.forms import Generate, form_of
from imgen_export.graph import export

SPEC = Spec("tiny", "generate", "CC0-1.0", inputs=("code", "label"), size=8, code=5, classes=3)


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def test_a_generator_of_labelled_pictures_runs_at_any_batch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ConvDecoder(ConvDecoder.Config(8, 1, code=5, width=4, classes=3)).eval()
    spec = export(network, tmp_path / "g.onnx", SPEC)
    assert spec.parity["sizes"] == [(1,), (3,), (8,), (17,)]
    for batch in (1, 6):
        code, label = torch.randn(batch, 5), torch.arange(batch) % 3
        (got,) = session(tmp_path / "g.onnx").run(None, {"code": code.numpy(), "label": label.numpy()})
        wanted = (network(code, label).detach().numpy() + 1) / 2  # this network ends in tanh
        assert got.shape == (batch, 1, 8, 8)
        assert np.abs(got - wanted).max() < 1e-5


def test_a_generator_of_points_keeps_its_values(tmp_path: Path) -> None:
    network = MLP(MLP.Config(5, 2, width=8)).eval()
    export(network, tmp_path / "p.onnx", replace(SPEC, inputs=("code",), size=0, classes=0))
    code = 10 * torch.randn(4, 5)
    (got,) = session(tmp_path / "p.onnx").run(None, {"code": code.numpy()})
    assert np.allclose(got, network(code).detach().numpy(), atol=1e-4)


@pytest.mark.parametrize("name", [name for name, engine in ENGINES.items() if hasattr(engine.Config(), "code")])
def test_what_is_exported_is_what_the_engine_decodes(name: str) -> None:
    torch.manual_seed(0)
    engine = ENGINES[name]
    built = engine.build(Shape(16, 3, 4), replace(engine.Config(), width=4)).eval()
    code, label = built.prior(3), torch.arange(3)
    classes = getattr(built.product.config, "classes", 0)
    with torch.no_grad():
        exported = Generate(built.product)(code, label if classes else None)
    assert torch.equal(exported, built.decode(code, label))
    assert 0 <= exported.min() < exported.max() <= 1


def test_a_generator_has_no_embed_graph() -> None:
    network = MLP(MLP.Config(5, 2, width=8))
    with pytest.raises(UsageError, match="embed graph is for images to images"):
        form_of(network, SPEC, "embed")
