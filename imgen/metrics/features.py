"""What sets of images are compared by: features of a named network, and the classes it sees where it is a classifier.

No figure means anything without the network: every extractor has a name that goes into the result. Torch is imported
when one that needs it is opened.
"""

import hashlib
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgen.errors import ModelError, UsageError
from imgen.lookup import find

if TYPE_CHECKING:
    from imgen.networks.network import Network

Images = NDArray[np.uint8]
"""N x C x H x W."""

RANGES = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
"""What a network may take black and white as."""
LITE = "efficientnet-lite0"


class Described(NamedTuple):
    """A network's view of some images."""

    features: NDArray[np.float32]  # N x D
    probabilities: NDArray[np.float32] | None  # N x K, of a classifier


class Extractor(Protocol):
    """Features of images of one size."""

    name: str
    size: int  # of the square images it takes
    channels: int

    def __call__(self, images: Images) -> Described:
        """N x channels x size x size."""


def describe(extractor: Extractor, batches: Iterable[Images]) -> Described:
    """All batches through an extractor, resized to what it takes (bicubic with antialiasing).

    Raises:
        UsageError: there are no images.
    """
    parts = [extractor(_resized(images, extractor.size)) for images in batches]
    if not parts:
        raise UsageError("there are no images to describe")
    classes = [part.probabilities for part in parts if part.probabilities is not None]
    return Described(np.concatenate([part.features for part in parts]), np.concatenate(classes) if classes else None)


def open_extractor(name: str, *, size: int | None = None, values: str = "0..255", device: str = "cpu") -> Extractor:
    """An extractor by name or file.

    Args:
        name: "efficientnet-lite0"; a classifier that imgen has trained (its run's folder or its .safetensors file); or
            a network of one's own in an .onnx or TorchScript (.pt) file, with one image input N x 3 x size x size. Such
            a file gives N x D features, or maps of them, which are averaged. A TorchScript that has an option
            ``return_features``, as the Inception network of NVIDIA's metrics, is asked for them. Open no TorchScript
            that you do not trust: such a file can run code.
        size: of the images that a file takes; None takes what an .onnx file says, else 299.
        values: a key of ``RANGES``, the range that a file takes.
        device: where torch computes; .onnx files run on the CPU.

    Raises:
        UsageError: no such name or range.
        ModelError: a file is missing, corrupt, or gives something else.
    """
    path = Path(name)
    if (path / "model.safetensors").is_file():
        path = path / "model.safetensors"
    low, high = find(RANGES, values, "range")
    match path.suffix.lower():
        case ".safetensors":
            return _open_classifier(_existing(path), device)
        case ".onnx":
            return _OnnxFile(_existing(path), size, low, high)
        case ".pt" | ".pth" | ".ts":
            return _TorchScript(_existing(path), size or 299, low, high, device)
    return find({LITE: _Lite}, name, "feature network")(device)


class _Lite:
    """EfficientNet-Lite0: its 1280 last features and the classes of ImageNet.

    At 128 pixels, which costs a third of its own 224 and loses little on the small images that are compared here.
    """

    name, size, channels = LITE, 128, 3

    def __init__(self, device: str) -> None:
        from imgen.networks.efficientnet import EfficientNetLite0Classifier

        self._network, self._device = EfficientNetLite0Classifier.pretrained().to(device), device

    def __call__(self, images: Images) -> Described:
        features, logits = _run(self._network, images, (0, 1), self._device)
        return Described(_array(features), _array(logits.softmax(1)))


class LocalClassifier:
    """A discriminator of imgen's with a score for each class, trained on labels of one's own.

    Its features are the last ones before the scores, averaged over the image.

    Args:
        network: images in -1..1 to ``imgen.networks.network.Scored``; its config has the size and the channels.
        name: what tells it from other classifiers.
        device: where it computes.
    """

    def __init__(self, network: "Network", name: str, device: str = "cpu") -> None:
        self._network, self._device = network.to(device).eval(), device
        self.name, self.size, self.channels = f"local:{name}", network.config.size, network.config.channels

    def __call__(self, images: Images) -> Described:
        """N x channels x size x size."""
        scored = _run(self._network, images, (-1, 1), self._device)
        return Described(_array(scored.features[-1]), _array(scored.logits.softmax(1)))


def _open_classifier(path: Path, device: str) -> LocalClassifier:
    from imgen import weights

    network = weights.load(path)
    config = network.config_dict()
    if not config.get("size") or config.get("outputs", 1) < 2:
        raise ModelError(f"{path}: is no classifier of images; train one with imgen train classifier")
    return LocalClassifier(network, _fingerprint(path), device)


class _TorchScript:
    channels = 3

    def __init__(self, path: Path, size: int, low: float, high: float, device: str) -> None:
        import torch

        try:
            with warnings.catch_warnings():  # torch.jit is deprecated, and yet the form in which Inception is to be had
                warnings.simplefilter("ignore", FutureWarning)
                self._network = torch.jit.load(path, map_location=device).eval()
        except RuntimeError as error:
            raise ModelError(f"{path}: is no TorchScript file; write it with torch.jit.save") from error
        arguments = {argument.name for argument in self._network.forward.schema.arguments}
        self._options = {"return_features": True} if "return_features" in arguments else {}
        self._range, self._device, self._path = (low, high), device, path
        self.size, self.name = size, f"{path.stem}:{_fingerprint(path)}"

    def __call__(self, images: Images) -> Described:
        features = _run(self._network, images, self._range, self._device, **self._options)
        return Described(_checked(_array(features), len(images), self._path), None)


class _OnnxFile:
    channels = 3

    def __init__(self, path: Path, size: int | None, low: float, high: float) -> None:
        import onnxruntime

        try:
            self._session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own classes have no base in common
            raise ModelError(f"{path}: onnxruntime cannot load it ({' '.join(str(error).split())[:200]})") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise ModelError(f"{path}: takes {len(inputs)} inputs; it must take one, N x 3 x H x W")
        count, _, height, _ = inputs[0].shape
        self._one_by_one, self._input = count == 1, inputs[0].name
        self._range, self._path = (low, high), path
        self.size = size or (height if isinstance(height, int) else 299)
        self.name = f"{path.stem}:{_fingerprint(path)}"

    def __call__(self, images: Images) -> Described:
        low, high = self._range
        values = images.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
        parts = np.split(values, len(values)) if self._one_by_one else [values]
        try:
            features = np.concatenate([self._session.run(None, {self._input: part})[0] for part in parts])
        except Exception as error:
            raise ModelError(f"{self._path}: does not run ({' '.join(str(error).split())[:200]})") from error
        return Described(_checked(_pooled(features), len(images), self._path), None)


def _run(network: Any, images: Images, values: tuple[float, float], device: str, **options: bool) -> Any:
    import torch

    low, high = values
    with torch.inference_mode():
        return network(torch.from_numpy(images).to(device).float() * ((high - low) / 255) + low, **options)


def _array(tensor: Any) -> NDArray[np.float32]:
    return _pooled(tensor.float().cpu().numpy())


def _pooled(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """N x D as they are, N x D x H x W averaged over the image."""
    return features.mean((2, 3)) if features.ndim == 4 else features


def _checked(features: NDArray[np.float32], count: int, path: Path) -> NDArray[np.float32]:
    if features.ndim != 2 or len(features) != count:
        raise ModelError(f"{path}: gives {features.shape} for {count} images; features are N x D or N x D x H x W")
    return features


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"{path}: no such file; name a feature network: {LITE}, .safetensors, .onnx or .pt")
    return path


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def _resized(images: Images, size: int) -> Images:
    if images.shape[2:] == (size, size):
        return images
    return np.stack([np.stack([_resized_plane(plane, size) for plane in image]) for image in images])


def _resized_plane(plane: Images, size: int) -> Images:
    return np.asarray(Image.fromarray(plane).resize((size, size), Image.Resampling.BICUBIC))
