"""Open a trained model: by name or file, with the engine that its kind and the device ask for."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from imgen.errors import DeviceError, ModelError, UsageError
from imgen.runtime.catalogue import is_known
from imgen.runtime.device import Device, gpus, say_once
from imgen.runtime.model import Model

if TYPE_CHECKING:
    from imgen.runtime.onnxfile import OnnxFile

SUFFIXES = (".onnx", ".safetensors", ".pth", ".pt")
"""Of files that hold a model."""


def load(source: str | Path, *, device: str = "auto", threads: int | None = None) -> Model:
    """Open a model by file or by name.

    Args:
        source: a name that ``imgen models list`` shows; an ``.onnx`` or ``.safetensors`` file written by imgen; or
            an upscaler of others: ``.onnx``, from one float NCHW image to one, or ``.pth``, ``.pt`` and
            ``.safetensors`` of an architecture that spandrel knows (their description then says licence "unknown").
        device: a key of ``imgen.runtime.device.DEVICES``; "cuda:1" is the second GPU. One that is asked for by name and
            cannot be used is an error, never a run on the CPU.
        threads: of the CPU; by default one a physical core, fewer where the process has fewer.

    Raises:
        ModelError: the file is missing, corrupt, unsafe or of an unknown kind, or the name is unknown.
        DeviceError: the device is not available.
        UsageError: no such kind of device, or fewer than one thread.
    """
    wanted = _wanted(device, threads)
    path = _locate(source)
    if path.suffix.lower() == ".onnx":
        return _start(_open(path), wanted, threads)
    if wanted.kind == "openvino":
        raise DeviceError(f"{path}: OpenVINO runs .onnx files only; export it first, or take another device")
    from imgen.runtime.torchfile import TorchModel

    return TorchModel(path, wanted, threads)


def load_blend(
    first: str | Path, second: str | Path, amount: float, *, device: str = "auto", threads: int | None = None
) -> Model:
    """Open the network between two of one architecture: its weights are (1 - amount) * first + amount * second.

    Args:
        first: a name or an ``.onnx`` file.
        second: the same.
        amount: 0 gives exactly the first, 1 the second.
        device: as in ``load``.
        threads: as in ``load``.

    Raises:
        ModelError: as ``load``, and when the graphs differ in more than their weights.
        DeviceError: as ``load``.
        UsageError: as ``load``, and for an amount that is not in 0..1.
    """
    if not 0 <= amount <= 1:
        raise UsageError(f"amount is {amount}, but a blend takes between 0 (all the first) and 1 (all the second)")
    if amount in (0, 1):
        return load(second if amount else first, device=device, threads=threads)
    wanted = _wanted(device, threads)
    paths = [_locate(source) for source in (first, second)]
    for path in paths:
        if path.suffix.lower() != ".onnx":
            raise ModelError(f"{path}: only .onnx files are blended; write one with imgen export")
    from imgen.runtime.blending import blend

    return _start(blend(_open(paths[0]), _open(paths[1]), amount), wanted, threads)


def _wanted(device: str, threads: int | None) -> Device:
    wanted = Device.parse(device)
    if threads is not None and threads < 1:
        raise UsageError(f"threads: {threads}, but there must be at least 1")
    return wanted


def _open(path: Path) -> "OnnxFile":
    """An ONNX file with the description that it has, or else shows when it is run."""
    from imgen.runtime import onnxfile

    data, spec = onnxfile.read(path)
    if spec is None:
        from imgen.runtime.foreign import describe

        spec = describe(path, data)
    return onnxfile.OnnxFile(str(path), data, spec)


def _start(file: "OnnxFile", wanted: Device, threads: int | None) -> Model:
    if wanted.kind == "openvino":
        from imgen.runtime.openvino import OpenVinoModel

        return OpenVinoModel(file, threads, exact=wanted.exact)
    if wanted.kind == "auto" and (model := _by_openvino(file, threads)):
        return model
    from imgen.runtime.ort import OrtModel

    return OrtModel(file, wanted, threads)


def _by_openvino(file: "OnnxFile", threads: int | None) -> "Model | None":
    """A model as OpenVINO runs it, where it is the fastest thing here; a file that may not halt is not for it."""
    if gpus() or not find_spec("openvino") or not is_known(file.data):
        return None
    from imgen.runtime.openvino import OpenVinoModel, computes_in_bfloat16

    try:
        model = OpenVinoModel(file, threads)
    except (DeviceError, ModelError):  # onnxruntime takes it, or says what is wrong with it
        return None
    if computes_in_bfloat16():
        say_once("OpenVINO runs this, in bfloat16; --device openvino:fp32 or cpu is exact to the last level")
    return model


def _locate(source: str | Path) -> Path:
    """The file meant by ``source``; a string without a folder or one of our suffixes is a name."""
    path = Path(source)
    suffix, kinds = path.suffix.lower(), ", ".join(SUFFIXES)
    is_name = isinstance(source, str) and path.name == source and suffix not in SUFFIXES
    if is_name and not path.is_file():
        from imgen.runtime.catalogue import find_model

        return find_model(str(source))
    if not path.exists():
        raise ModelError(f"{path}: no such model file; give a name or a file of one of {kinds}")
    if not path.is_file():
        raise ModelError(f"{path}: not a file; give a name or a file of one of {kinds}")
    if suffix not in SUFFIXES:
        raise ModelError(f"{path}: models are files of {kinds}; export or convert it first")
    return path
