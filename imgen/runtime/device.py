"""Where a network is to run, as users say it, and how many threads there are to compute with."""

import contextlib
import ctypes
import logging
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imgen.errors import UsageError
from imgen.lookup import find

DEVICES = {
    "auto": "the first CUDA GPU that works, else for models of the catalogue OpenVINO where installed, else the CPU",
    "cpu": "onnxruntime on the CPU",
    "cuda": "onnxruntime on an NVIDIA GPU; cuda:1 is the second one",
    "tensorrt": "TensorRT on an NVIDIA GPU, which compiles anew for every size of image; tensorrt:1 is the second",
    "openvino": "OpenVINO on the CPU, in bfloat16 where the CPU has it: fast, not quite exact; openvino:fp32 is exact",
}


@dataclass(frozen=True)
class Device:
    """A device as it was asked for: a key of ``DEVICES``; of GPUs which, for OpenVINO whether in float32 only."""

    kind: str
    index: int = 0
    exact: bool = False

    @classmethod
    def parse(cls, text: str) -> "Device":
        """Read "auto", "cpu", "cuda", "cuda:1", "tensorrt", "tensorrt:1", "openvino", "openvino:fp32".

        Raises:
            UnknownNameError: there is no such kind of device.
            UsageError: what follows the colon is neither a GPU's number nor OpenVINO's precision.
        """
        kind, colon, more = text.partition(":")
        find(DEVICES, kind, "device")
        if text == "openvino:fp32":
            return cls(kind, exact=True)
        if colon and not (kind in ("cuda", "tensorrt") and more.isdecimal()):
            raise UsageError(f"device {text!r}: only a GPU's number may follow, as in cuda:1, or openvino:fp32")
        return cls(kind, int(more or 0))


def cpu_threads() -> int:
    """How many threads to compute with; 0 leaves it to the engine, which takes one a physical core.

    Engines look at the machine; this looks at what of it the process may use (affinity, cgroup v2).
    """
    machine = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else machine
    with contextlib.suppress(OSError, ValueError):  # no cgroup, or "max" for no limit
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        usable = min(usable, max(1, int(quota) // int(period)))
    return usable if usable < machine else 0


def gpus() -> int:
    """How many GPUs NVIDIA's driver shows; 0 without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return 0 if failed else count.value


@cache
def say_once(message: str) -> None:
    """Tell the user, the first time."""
    logging.getLogger("imgen").warning(message)
