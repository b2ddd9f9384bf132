"""imgen doctor: does everything work here, and if not, what to do."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

EPILOG = "Examples:  imgen doctor    imgen doctor --json > report.json"


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``state``: "ok", "off" (optional, not there) or "bad" (something is broken)."""

    name: str
    state: str
    text: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of lines.")] = False,
) -> None:
    """Check versions, devices, models and the cache; ends with exit code 1 if something is broken."""
    found = []
    for finding in _examine():
        found.append(finding)
        if not as_json:
            typer.echo(f"{finding.state:3}  {finding.name:22}  {finding.text}")
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    if any(finding.state == "bad" for finding in found):
        raise typer.Exit(1)


def _examine() -> Iterator[Finding]:
    for part in (_versions, _conflicts, _cache, _models, _devices):
        yield from part()


def _versions() -> Iterator[Finding]:
    import platform
    import sys

    from imgen import __version__

    yield Finding("imgen", "ok", __version__)
    yield Finding("python", "ok", f"{platform.python_version()} at {sys.executable}, {platform.platform()}")
    for name in ("numpy", "opencv-python-headless", "pillow", "typer"):
        version = _installed(name) or _installed(name.removesuffix("-headless"))  # either OpenCV will do
        yield Finding(name, "ok" if version else "bad", version or f"not installed; pip install {name}")
    for name, extra in (("torch", "train"), ("openvino", "openvino")):
        version = _installed(name)
        yield Finding(name, "ok" if version else "off", version or f'optional; pip install "imgen[{extra}]"')


def _conflicts() -> Iterator[Finding]:
    """Packages that overwrite each other's files when both are installed."""
    gpu, cpu = _installed("onnxruntime-gpu"), _installed("onnxruntime")
    if gpu and cpu:
        remedy = "pip uninstall onnxruntime, then pip install --force-reinstall --no-deps onnxruntime-gpu"
        yield Finding("onnxruntime", "bad", f"both onnxruntime-gpu {gpu} and onnxruntime {cpu}; {remedy}")
    elif gpu or cpu:
        yield Finding("onnxruntime", "ok", f"onnxruntime-gpu {gpu}" if gpu else f"onnxruntime {cpu}")
    else:
        yield Finding("onnxruntime", "bad", "not installed; pip install --force-reinstall imgen")
    other = _installed("opencv-python")
    if other and _installed("opencv-python-headless"):
        yield Finding("opencv-python", "off", f"{other} beside the headless one; if cv2 fails, reinstall one of them")


def _cache() -> Iterator[Finding]:
    import os
    import shutil

    from imgen.runtime.catalogue import cache_dir

    folder = cache_dir()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield Finding("cache", "bad", f"{folder} cannot be written; set IMGEN_HOME to a folder that can")
    else:
        yield Finding("cache", "ok", f"{folder}, {shutil.disk_usage(existing).free / 1e9:.0f} GB free")


def _models() -> Iterator[Finding]:
    from imgen.errors import ModelError
    from imgen.runtime import catalogue

    try:
        entries = catalogue.entries()
    except ModelError as error:
        yield Finding("models", "bad", str(error))
        return
    for entry in entries.values():
        label = f"model {entry.name}"
        if entry.urls and not entry.path.is_file():
            yield Finding(label, "off", f"not here; imgen models pull {entry.name}")
            continue
        try:
            yield Finding(label, "ok", f"{catalogue.verify(entry)} is whole")
        except ModelError as error:
            yield Finding(label, "bad", str(error))


def _devices() -> Iterator[Finding]:
    """Run a default model on each device: what is listed as available is not always usable."""
    from imgen.errors import DeviceError
    from imgen.runtime import catalogue

    try:
        name = next((entry.name for entry in catalogue.entries().values() if entry.default), None)
        from imgen.runtime.ort import devices

        yield Finding("devices", "ok", ", ".join(devices()))
    except Exception as error:  # whatever is broken here, the user came to read about it
        yield Finding("devices", "bad", f"{type(error).__name__}: {error}")
        return
    for device in ("cpu", "cuda", "tensorrt", "openvino") if name else ():
        try:
            yield Finding(f"device {device}", "ok", _self_test(str(name), device))
        except Exception as error:
            # The CPU must work; another device is a question of what the machine has.
            state = "off" if isinstance(error, DeviceError) and device != "cpu" else "bad"
            yield Finding(f"device {device}", state, str(error))


def _self_test(name: str, device: str) -> str:
    import time

    import numpy as np

    from imgen.errors import ModelError
    from imgen.runtime import load

    began = time.perf_counter()
    model = load(name, device=device)
    loaded = time.perf_counter()
    side = -(-128 // model.spec.multiple) * model.spec.multiple
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    arrays = [np.broadcast_to(ramp, (1, 1 if key == "mask" else 3, side, side)) for key in model.spec.inputs]
    result = model(*arrays)
    if not np.isfinite(result).all():
        raise ModelError(f"{name} gives values that are not numbers; install imgen again")
    ran = time.perf_counter()
    where = f"{model.device}, {model.provider}"
    return f"{where}: {name} loaded in {loaded - began:.2f} s, {side} x {side} pixels in {ran - loaded:.2f} s"


def _installed(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
