"""Weights of others as models by name."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgen.errors import UsageError

if TYPE_CHECKING:
    from imgen.networks.network import Network
    from imgen.spec import Spec


def import_weights(file: Path, name: str, *, labels: str | None, licence: str | None, overwrite: bool) -> str:
    """Write a weights file as a model in the cache, and enter it in the user's catalogue.

    Args:
        file: as ``imgen.weights.read`` takes it.
        name: of the model.
        labels: of a network that takes label maps how many classes there are, or the name of a palette file.
        licence: of the weights; None leaves it as the file says.
        overwrite: replace an imported model of that name.

    Returns:
        What was done, in one line.

    Raises:
        UsageError: a name that cannot be or is in use, or labels that do not fit the network.
        ModelError: the file cannot be read or written as ONNX; nothing is entered.
    """
    from imgen.hashing import sha256_of
    from imgen.runtime import catalogue

    target = catalogue.cache_dir() / "models" / f"{name}.onnx"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise UsageError(f"{name!r} is no name for a model; take letters, digits, dots and dashes")
    if (catalogue.BUILT_IN / target.name).exists():
        raise UsageError(f"{name} is a built-in model; choose another name")
    if name in catalogue.entries() and not overwrite:
        raise UsageError(f"there is a model called {name} already; choose another name, or --overwrite to replace it")
    try:
        from imgen import weights
        from imgen.networks import NETWORKS
        from imgen_export.graph import export
    except ImportError as error:
        raise UsageError(f'importing needs torch and onnx ({error}); pip install "imgen[train]"') from error
    spec, network = weights.read(file)
    spec = replace(spec, name=name, licence=licence or spec.licence)
    if labels is not None:
        spec = _with_labels(spec, network, labels)
    target.parent.mkdir(parents=True, exist_ok=True)
    written = export(network, target, replace(spec, weights_sha256=sha256_of(file)))
    if type(network) in NETWORKS.values():  # so that it can be trained on
        weights.save(network, target.with_suffix(".safetensors"), spec)
    size, digest = target.stat().st_size, sha256_of(target)
    catalogue.add(catalogue.Entry(name, target.name, digest, size, spec.licence, spec.task))
    return f"{name}: {spec.task}, differs from torch by at most {written.parity['max_difference']:.1e}; {target}"


def _with_labels(spec: "Spec", network: "Network", labels: str) -> "Spec":
    from imgen.data.label_maps import Palette

    palette, takes = Palette.parse(labels), getattr(network.config, "inputs", 0)
    if spec.task != "translate" or takes - len(palette) not in (0, 1):
        raise UsageError(f"--labels {labels} has {len(palette)} classes, but {spec.name} takes {takes} channels")
    return replace(spec, inputs=("labels", *spec.inputs[1:]), palette=palette.lines(), boundaries=takes > len(palette))
