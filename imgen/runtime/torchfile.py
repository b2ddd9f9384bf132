"""Run weights files, imgen's and those of others, through torch where it is installed."""

from pathlib import Path
from typing import TYPE_CHECKING

from imgen.errors import DeviceError, ModelError
from imgen.runtime.device import Device
from imgen.runtime.model import Array, Model, Statistics
from imgen.spec import Spec

if TYPE_CHECKING:
    import torch

    from imgen.networks.network import Network


class TorchModel(Model):
    """A network as it was trained; slower to start and to run than its ONNX file.

    ``threads`` sets torch's own number, which the whole process shares.
    """

    def __init__(self, path: Path, device: Device, threads: int | None = None) -> None:
        spec, network = _load(path)
        import torch

        place = _place(device)
        if threads:
            torch.set_num_threads(threads)
        self._network = network.to(place).eval().requires_grad_(False)
        self._place = place
        super().__init__(spec, str(place), "torch")

    def _run_named(self, inputs: tuple[Array, ...]) -> list[Array]:
        import torch

        with torch.inference_mode():
            tensors = [torch.from_numpy(array.copy()).to(self._place) for array in inputs]
            made = self._network(*tensors)
            return [part.float().cpu().numpy() for part in (made if isinstance(made, tuple) else (made,))]

    def _run_normalised(self, image: Array, statistics: Statistics) -> Array:
        return self._frozen(image, statistics[0])[0]

    def _run_statistics(self, images: Array) -> Statistics:
        return [self._frozen(images, None)[1]]

    def _frozen(self, images: Array, statistics: Array | None) -> tuple[Array, Array]:
        import torch

        from imgen.networks.instance_norm import NormalisedNetwork

        if not isinstance(self._network, NormalisedNetwork):
            raise TypeError(f"{type(self._network).__name__} takes no statistics")
        given = None if statistics is None else torch.from_numpy(statistics).to(self._place)
        with torch.inference_mode():
            made = self._network.frozen(torch.from_numpy(images.copy()).to(self._place), given)
        result, measured = (part.float().cpu().numpy() for part in made)
        return result, measured


def _load(path: Path) -> "tuple[Spec, Network]":
    try:
        from imgen import weights
    except ImportError as error:
        remedy = 'pip install "imgen[train]", or use the .onnx file'
        raise ModelError(f"{path}: {path.suffix} files run through torch, which is not installed; {remedy}") from error
    return weights.read(path)


def _place(device: Device) -> "torch.device":
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.kind == "cpu" or (device.kind == "auto" and not gpus):
        return torch.device("cpu")
    if device.index >= gpus:
        raise DeviceError(f"device cuda:{device.index} is not available: torch sees {gpus} GPUs; use --device cpu")
    return torch.device("cuda", device.index)
