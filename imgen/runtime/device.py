"""Where a network is to run, as users say it, and how many threads there are to compute with."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from imgen.errors import UsageError
from imgen.lookup import find

DEVICES = {
    "auto": "the first CUDA GPU where there is one that works, else the CPU",
    "cpu": "onnxruntime on the CPU",
    "cuda": "onnxruntime on an NVIDIA GPU; cuda:1 is the second one",
    "openvino": "OpenVINO on the CPU, in bfloat16 where the CPU computes in it: faster, a little less exact",
}


@dataclass(frozen=True)
class Device:
    """A device as it was asked for: a key of ``DEVICES`` and, for CUDA, which GPU."""

    kind: str
    index: int = 0

    @classmethod
    def parse(cls, text: str) -> "Device":
        """Read "auto", "cpu", "cuda", "cuda:1", "openvino".

        Raises:
            UnknownNameError: there is no such kind of device.
            UsageError: what follows the colon is not a GPU's number.
        """
        kind, colon, index = text.partition(":")
        find(DEVICES, kind, "device")
        if colon and not (kind == "cuda" and index.isdecimal()):
            raise UsageError(f"device {text!r}: only a GPU's number may follow, as in cuda:1")
        return cls(kind, int(index or 0))


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
