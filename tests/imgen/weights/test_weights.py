from pathlib import Path

import pytest
import torch

from imgen import weights
from imgen.errors import ModelError
from imgen.networks import NETWORKS
from imgen.networks.inpainter import Inpainter
from imgen.spec import Spec

SPEC = Spec(name="tiny", task="inpaint", licence="CC0-1.0", inputs=("image", "mask"), multiple=16)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_rebuilds_every_network(name: str, tmp_path: Path) -> None:
    net = NETWORKS[name]()
    weights.save(net, tmp_path / "net.safetensors", SPEC)
    again = weights.load(tmp_path / "net.safetensors")
    assert again.config == net.config
    assert all(torch.equal(again.state_dict()[key], value) for key, value in net.state_dict().items())
    spec = weights.read_spec(tmp_path / "net.safetensors")
    assert (spec.network, spec.licence, spec.inputs) == (name, "CC0-1.0", ("image", "mask"))


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "net.safetensors"
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        weights.load(path)
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        weights.load(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="no imgen description"):
        weights.load(path)
    weights.save(Inpainter(Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2)), path, SPEC)
    text = path.read_bytes().replace(b'\\"eighth\\": 8', b'\\"eighth\\": 9')
    path.write_bytes(text)
    with pytest.raises(ModelError, match="do not fit"):
        weights.load(path)
