"""Networks in safetensors files that say what they are, and those of others."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgen.errors import ModelError
from imgen.image.atomic import atomic
from imgen.lookup import find
from imgen.networks import NETWORKS
from imgen.networks.network import Network
from imgen.spec import KEY, Spec

if TYPE_CHECKING:
    from torch import Tensor


def save(network: Network, path: Path, spec: Spec) -> None:
    """Write a network with its description; the network's name and config are filled in here.

    A tensor whose values are all those of some float16 one is stored as that one.
    """
    from safetensors.torch import save as to_bytes

    name = next(name for name, cls in NETWORKS.items() if cls is type(network))
    spec = replace(spec, network=name, config=network.config_dict())
    state = {key: _compact(value.detach().cpu()).contiguous() for key, value in network.state_dict().items()}
    data = to_bytes(state, {KEY: spec.to_json()})
    with atomic(path) as file:
        file.write(data)


def read(path: Path) -> tuple[Spec, Network]:
    """The description and the network of a weights file, ours or of others, in evaluation mode, on the CPU.

    Raises:
        ModelError: as ``load`` for ours, as ``imgen.weights.foreign.load`` for others.
    """
    if path.suffix.lower() == ".safetensors" and KEY in _header(path):
        return read_spec(path), load(path)
    from imgen.weights import foreign

    return foreign.load(path)


def read_spec(path: Path) -> Spec:
    """The description in a file's header; no tensor is read.

    Raises:
        ModelError: the file is missing, is not a safetensors file or has no description of ours.
    """
    header = _header(path)
    if KEY not in header:
        raise ModelError(f"{path}: no imgen description in its header; write it with imgen.weights.save")
    return Spec.from_json(header[KEY], str(path))


def load(path: Path) -> Network:
    """Build the network that a file describes, in evaluation mode, on the CPU.

    Raises:
        ModelError: as ``read_spec``, when network, config and tensors do not fit, or are of another version.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    spec = read_spec(path)
    cls = find(NETWORKS, spec.network, "network", ModelError)
    unknown = sorted(spec.config.keys() - {field.name for field in fields(cls.Config)})
    if unknown:
        names = ", ".join(unknown)
        raise ModelError(f"{path}: of another version of imgen, whose {spec.network} has {names}; use that version")
    try:
        network = cls(cls.Config(**spec.config))
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path}: its tensors do not fit its network {spec.network!r}: {reason}") from error
    return network.eval()


def mean(paths: Sequence[Path]) -> Network:
    """The network each of whose weights is the mean of those of some files; a file named twice counts twice.

    Of networks trained on from one another, one at a rate as high as before, it is often better than each: Wortsman et
    al. 2022, "Model soups", arXiv:2203.05482.

    Raises:
        ModelError: as ``load``, or the networks differ in more than their weights.
    """
    first, *others = [load(path) for path in paths]
    for path, other in zip(paths[1:], others, strict=True):
        if type(other) is not type(first) or other.config_dict() != first.config_dict():
            raise ModelError(
                f"{path}: another network than that of {paths[0]}, or of other sizes; a mean needs equal ones"
            )
    states = [network.state_dict() for network in (first, *others)]
    wide = ((key, sum(state[key].double() for state in states) / len(states)) for key in states[0])
    first.load_state_dict({key: value.to(states[0][key].dtype) for key, value in wide})
    return first


def _compact(value: "Tensor") -> "Tensor":
    half = value.half() if value.is_floating_point() else value
    return half if half.equal(value) else value


def _header(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error}); download or train it again") from error
