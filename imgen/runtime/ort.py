"""Run ONNX files with onnxruntime, on the CPU or on an NVIDIA GPU.

onnxruntime falls back to the CPU without an exception when CUDA does not start, so what is really
active is asked for after every start and every fallback is said aloud or refused.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib import import_module
from typing import Any

import onnxruntime

from imgen.errors import DeviceError, ModelError
from imgen.runtime import limits, onnxfile
from imgen.runtime.binding import BoundSession
from imgen.runtime.catalogue import cache_dir, is_known
from imgen.runtime.device import Device, cpu_threads, gpus, say_once
from imgen.runtime.model import Array, one_line
from imgen.runtime.onnxmodel import OnnxModel

if not hasattr(onnxruntime, "InferenceSession"):  # what is left when one of its two packages was removed
    raise DeviceError("onnxruntime is damaged; pip install --force-reinstall --no-deps onnxruntime-gpu")

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"

_ON_GPU = {"auto": CUDA, "cuda": CUDA, "tensorrt": TENSORRT}  # what runs the kinds of devices
_CUDA_OPTIONS = {
    "arena_extend_strategy": "kSameAsRequested",  # by default memory grows in powers of two
    "cudnn_conv_algo_search": "HEURISTIC",  # by default every new image size is tuned for seconds
}

# y = Relu(x), opset 18: the smallest graph that shows whether a provider starts.
_PROBE = (
    b'\x08\n\x12\x00:3\n\x0c\n\x01x\x12\x01y"\x04Relu\x12\x01pZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\x12"
)


class OrtModel(OnnxModel):
    """An ONNX file in an onnxruntime session, whose ``run`` is thread-safe; on a GPU in one that is bound to it."""

    def __init__(self, file: onnxfile.OnnxFile, device: Device, threads: int | None = None) -> None:
        where, data, spec = file
        providers = _providers(device)
        self._providers, self._threads, self._index = providers, threads, device.index
        # CUDA takes far more addresses than there is memory, so it cannot be limited in this way.
        self._guarded = providers[0][0] == CPU and not is_known(data)
        try:
            network = self._open(data)
        except Exception as error:  # onnxruntime's own classes have no base in common
            remedy = "export it again" if providers[0][0] == CPU else "export it again, or try --device cpu"
            raise ModelError(f"{where}: onnxruntime cannot load it ({one_line(error)}); {remedy}") from error
        session = network.session if isinstance(network, BoundSession) else network
        inputs = [(node.name, node.type) for node in session.get_inputs()]
        onnxfile.check_ends(where, spec, inputs, [node.name for node in session.get_outputs()])
        active = session.get_providers()[0]
        if active != providers[0][0]:
            _refuse_or_warn(device, f"{_name(providers[0][0])} did not start for this model")
        super().__init__(file, network, "cpu" if active == CPU else f"cuda:{device.index}", active)

    def _open(self, data: bytes) -> Any:
        if self._providers[0][0] == CPU:
            with limits.free_memory_only() if self._guarded else contextlib.nullcontext():
                return open_session(data, self._providers, self._threads)
        session = None
        with contextlib.suppress(Exception):  # some graph is not wholly for the GPU, and cannot be recorded
            session = open_session(data, recorded(self._providers), self._threads)
        session = session or open_session(data, self._providers, self._threads)
        return session if session.get_providers()[0] == CPU else BoundSession(session, "cuda", self._index)

    def _infer(self, network: Any, inputs: Mapping[str, Array], outputs: Sequence[str]) -> list[Array]:
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        # What a crop needed goes back to the system: whoever writes a large image needs it next.
        if self.provider == CPU:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        if not self._guarded:
            return network.run(list(outputs), dict(inputs), options)
        with limits.in_time(partial(setattr, options, "terminate", True)) as late, limits.free_memory_only():
            try:
                return network.run(list(outputs), dict(inputs), options)
            except Exception as error:
                if not late.is_set():
                    raise
                raise ModelError(
                    f"{self.spec.name}: not done after {limits.SECONDS:g} seconds, and stopped; give it a smaller image"
                ) from error


def devices() -> list[str]:
    """The devices that really work here, best first: a session was started on each.

    >>> devices()[-1]
    'cpu'
    """
    cuda = [] if gpu_problem() else [f"cuda:{index}" for index in range(gpus())]
    return [*cuda, "cpu"]


@cache
def gpu_problem(provider: str = CUDA) -> str | None:
    """Why CUDA or TensorRT cannot be used and what to do about it, in one line; None when it can."""
    if provider not in onnxruntime.get_available_providers():
        return (
            f"this onnxruntime is built without {_name(provider)}; pip uninstall onnxruntime, then pip install "
            "onnxruntime-gpu"
        )
    if not gpus():
        return "no NVIDIA GPU with a working driver is visible; check nvidia-smi"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints what is missing, where a pipe may be reading
        onnxruntime.preload_dlls()
    if provider == TENSORRT:
        with contextlib.suppress(ImportError):  # this loads its libraries, where they came by pip
            import_module("tensorrt")
    try:
        if open_session(_PROBE, [(provider, {}), (CPU, {})], 1).get_providers()[0] == provider:
            return None
        if provider == TENSORRT:
            return "its libraries are missing; pip install tensorrt"
        reason = (said.getvalue().splitlines() or ["CUDA 13, cuDNN 9 or a driver for them is missing"])[0]
    except Exception as error:
        reason = one_line(error)
    return f'{reason.rstrip(".")}; pip install "imgen[cuda]"'


def open_session(data: bytes, providers: list[tuple[str, dict[str, Any]]], threads: int | None) -> Any:
    """A session that logs nothing; raises classes of onnxruntime's own that have no base in common."""
    # Everything it logs also comes as an exception or as a missing provider, which we put in words.
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or cpu_threads()
    options.inter_op_num_threads = 1
    # Idle threads that spin slow down whoever loads and saves images meanwhile, and gain nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with limits.in_time(partial(options.set_load_cancellation_flag, True)):  # seen between passes over the graph
        return onnxruntime.InferenceSession(data, options, providers=providers, enable_fallback=0)


def _providers(device: Device) -> list[tuple[str, dict[str, Any]]]:
    """The providers to start, best first, for a device whose absence has been dealt with."""
    if device.kind == "cpu" or (device.kind == "auto" and not gpus()):
        return [(CPU, {})]  # a machine without a GPU has nothing to complain of
    provider = _ON_GPU[device.kind]
    problem = gpu_problem(CUDA) or (gpu_problem(TENSORRT) if provider == TENSORRT else None)
    if not problem and device.index >= gpus():
        problem = f"there are only {gpus()} GPUs, numbered from 0; choose one of them"
    if problem:
        _refuse_or_warn(device, problem)
        return [(CPU, {})]
    place = {"device_id": str(device.index)}
    cuda, cpu = (CUDA, place | _CUDA_OPTIONS), (CPU, dict[str, str]())
    return [cuda, cpu] if provider == CUDA else [(TENSORRT, place | _tensorrt_options()), cuda, cpu]


def recorded(providers: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """The same, with the first, one for a GPU, told to record runs as CUDA graphs."""
    (name, options), *rest = providers
    switch = "enable_cuda_graph" if name == CUDA else "trt_cuda_graph_enable"
    return [(name, options | {switch: "1"}), *rest]


def _tensorrt_options() -> dict[str, str]:
    """What it has compiled for a shape, which takes minutes, is kept for the next process."""
    folder = cache_dir() / "tensorrt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return {}
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder),
    }


def _name(provider: str) -> str:
    return {CUDA: "CUDA", TENSORRT: "TensorRT"}.get(provider, provider)


def _refuse_or_warn(device: Device, problem: str) -> None:
    if device.kind == "auto":
        say_once(f"running on the CPU although there is a GPU: {problem}")
    else:
        raise DeviceError(f"device {device.kind}:{device.index} is not available: {problem}, or use --device cpu")
