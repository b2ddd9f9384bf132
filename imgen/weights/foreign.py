"""Networks that others have trained: ``.pth``, ``.pt`` and ``.safetensors`` files.

Upscalers are read through spandrel, translators by ``imgen.weights.translators``.

Nothing in such a file is executed: torch unpickles tensors and plain containers only, and refuses the rest. Nor is a
size believed: no part of what is read may be larger than the file itself, and the network that is built from
it may not have more parameters than the file has bytes.
"""

import pickle
import re
import threading
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from imgen.errors import ModelError
from imgen.networks.network import Network
from imgen.networks.receptive_field import radius_of
from imgen.spec import Spec
from imgen.weights import translators

MAX_BYTES = 1 << 30

_MEASURED = 4_000_000  # parameters; a network of more sees farther than exact tiles are worth


class Foreign(Network):
    """A network of spandrel's: N x 3 x H x W in 0..1 to N x 3 x scale*H x scale*W, about 0..1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.config = self.Config()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        made = self.network(image.clone())  # RCAN multiplies what it is given, in place
        return made if isinstance(made, Tensor) else made[0]  # some also give what they found on the way


def load(path: Path) -> tuple[Spec, Network]:
    """The description and the network of a file, in evaluation mode, on the CPU.

    Raises:
        ModelError: the file is missing, corrupt or unsafe, its architecture is not known, or it is neither an upscaler
            nor a translator.
    """
    state = _read(path)
    with _at_most(path.stat().st_size, path):
        translator = translators.recognise(path, state)
    if translator is not None:
        return translator
    found = _recognise(path, state)
    name, needs = found.architecture.name, found.size_requirements
    if found.purpose != "SR" or (found.input_channels, found.output_channels) != (3, 3) or needs.square:
        raise ModelError(
            f"{path}: {name} for {found.purpose}, {found.input_channels} channels to {found.output_channels}; "
            "of foreign models only upscalers of RGB images and translators are run"
        )
    network = Foreign(found.model.float()).eval().requires_grad_(False)
    multiple = max(needs.minimum, needs.multiple_of)
    _check(path, name, network, multiple, found.scale)
    for module in network.modules():
        if hasattr(module, "update_params"):  # SPAN folds its weights whenever it runs: once will do, and can be traced
            vars(module)["update_params"] = _nothing
    measured = multiple == 1 and network.parameter_count() <= _MEASURED
    radius = radius_of(network) if measured else None
    spec = Spec(
        path.stem,
        "upscale",
        "unknown",
        scale=found.scale,
        multiple=multiple,
        receptive_field="global" if radius is None else "finite",
        radius=radius or 0,
        recipe=f"trained by others: {' '.join([name, *found.tags])}",
    )
    return spec, network


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, out of whatever its author has wrapped them in."""
    from safetensors.torch import load_file

    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelError(f"{path}: over {MAX_BYTES >> 20} MiB, which no such model is; refused")
        if path.suffix.lower() == ".safetensors":
            found: Any = load_file(path)
        else:
            _check_archive(path, size)
            with warnings.catch_warnings():  # about how the file was pickled
                warnings.simplefilter("ignore")
                found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))
        problem = f"asks for {asked[1]}, which may be code" if asked else "is corrupt or holds more than tensors"
        raise ModelError(f"{path}: {problem}; refused, and nothing of it was run; get it as .safetensors") from error
    except ModelError:
        raise
    except Exception as error:  # many kinds; what torch says would tell the user to load it unsafely
        raise ModelError(f"{path}: not a readable weights file ({type(error).__name__}); download it again") from error
    named = _spandrel(path).canonicalize_state_dict(found) if _is_table(found) else {}
    state = {key: value for key, value in named.items() if isinstance(value, Tensor)}
    if not state:
        raise ModelError(f"{path}: no table of named tensors inside; only weights are read, not whole programs")
    for key, value in state.items():
        if value.numel() * value.element_size() > size:
            raise ModelError(f"{path}: {key[:60]!r} of {tuple(value.shape)} is larger than the file itself; refused")
    return state


def _check_archive(path: Path, size: int) -> None:
    """Refuse an archive that unpacks to more than itself (torch does not compress), and one of programs."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        if (unpacked := sum(entry.file_size for entry in entries)) > size:
            raise ModelError(f"{path}: {size} bytes that unpack to {unpacked}; refused")
        if any("/code/" in entry.filename for entry in entries):
            raise ModelError(f"{path}: a TorchScript program, not weights; refused, and nothing of it was run")


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def _recognise(path: Path, state: dict[str, Tensor]) -> Any:
    """spandrel's description of the network that fits a state dict, its weights in it."""
    spandrel = _spandrel(path)
    try:
        with _at_most(path.stat().st_size, path):
            return spandrel.ModelLoader().load_from_state_dict(state)
    except spandrel.UnsupportedModelError as error:
        keys = ", ".join(repr(key[:60]) for key in list(state)[:5])
        known = ", ".join(sorted(support.architecture.id for support in spandrel.MAIN_REGISTRY))
        raise ModelError(
            f"{path}: of an architecture that is not known, with {len(state)} tensors: {keys} ...; known are {known}"
        ) from error
    except ModelError:
        raise
    except Exception as error:  # each architecture has its own ways to fail
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ModelError(f"{path}: its tensors do not fit the architecture that they look like ({reason})") from error


def _check(path: Path, name: str, network: Foreign, multiple: int, scale: int) -> None:
    """Refuse what does not enlarge an image by its scale, rather than fail on the user's images."""
    side = multiple * (16 // multiple + 1)
    try:
        with torch.inference_mode():
            shape = tuple(network(torch.full((1, 3, side, side), 0.5)).shape)
    except Exception as error:
        raise ModelError(f"{path}: {name} fails on {side} x {side} pixels ({type(error).__name__})") from error
    if shape != (1, 3, scale * side, scale * side):
        raise ModelError(f"{path}: {name} makes {shape} of {side} x {side} pixels instead of {scale} times as many")


def _nothing() -> None:
    """In place of a method whose work is done."""


@contextmanager
def _at_most(parameters: int, path: Path) -> Iterator[None]:
    """While it is open, this thread builds no more parameters than that: shapes and layer numbers may lie."""
    thread, built = threading.get_ident(), 0

    def count(_module: nn.Module, _name: str, parameter: nn.Parameter) -> None:
        nonlocal built
        if threading.get_ident() == thread:
            built += parameter.numel()
            if built > parameters:
                raise ModelError(
                    f"{path}: asks for a network of over {parameters} values, more than the file has bytes"
                )

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _spandrel(path: Path) -> Any:
    try:
        import spandrel
    except ImportError as error:
        raise ModelError(f'{path}: foreign weights are read by spandrel; pip install "imgen[train]"') from error
    except RuntimeError as error:  # torchvision without its operators
        raise ModelError(
            f"{path}: spandrel does not start: torch and torchvision do not fit; install a pair"
        ) from error
    return spandrel
