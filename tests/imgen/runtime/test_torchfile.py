import sys
from pathlib import Path

import numpy as np
import pytest

from imgen.errors import DeviceError, ModelError
from imgen.networks import Network
from imgen.networks.inpainter import Inpainter
from imgen.runtime import load
from imgen.spec import Spec
from imgen.weights import save


@pytest.fixture(scope="module")
def network() -> Network:
    return Inpainter(Inpainter.Config(half=4, quarter=4, eighth=8, blocks=2)).eval()


@pytest.fixture(scope="module")
def path(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save(network, path, Spec("small", "inpaint", "CC0-1.0", inputs=("image", "mask"), multiple=16))
    return path


def test_gives_what_the_network_gives(path: Path, network: Network) -> None:
    import torch

    generator = np.random.default_rng(0)
    image = generator.random((2, 3, 32, 48), np.float32)
    mask = np.zeros((2, 1, 32, 48), np.float32)
    mask[:, :, 8:20, 8:30] = 1
    model = load(path, device="cpu")
    assert (model.spec.name, model.device, model.provider) == ("small", "cpu", "torch")
    result = model(image[..., ::-1], mask[..., ::-1])
    with torch.inference_mode():
        expected = network(*(torch.from_numpy(a[..., ::-1].copy()) for a in (image, mask))).numpy()
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_threads_are_torchs_own(path: Path) -> None:
    import torch

    before = torch.get_num_threads()
    load(path, device="cpu", threads=1)
    assert torch.get_num_threads() == 1
    torch.set_num_threads(before)


def test_a_gpu_that_is_not_there(path: Path) -> None:
    with pytest.raises(DeviceError, match=r"cuda:9 is not available: torch sees \d+ GPUs") as caught:
        load(path, device="cuda:9")
    assert caught.value.exit_code == 4


def test_missing_torch_says_how_to_get_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imgen.weights", None)
    monkeypatch.delattr("imgen.weights")
    with pytest.raises(ModelError, match=r'pip install "imgen\[train\]", or use the \.onnx file'):
        load(path, device="cpu")


@pytest.mark.parametrize("length", [0, 5, 200, -40])
def test_a_file_cut_short(path: Path, tmp_path: Path, length: int) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelError) as caught:
        load(cut, device="cpu")
    assert "\n" not in str(caught.value)
