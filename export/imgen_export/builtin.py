"""Make a trained network one of the models that imgen comes with.

    python -m imgen_export.builtin runs/derain/model.safetensors derain-base

rounds its weights to half precision, which halves the files; writes them with both graphs (a generator has one), each
verified, and their descriptions to ``imgen/models``; and enters them in the catalogue. The card, NAME.md, is written by
hand. Of several files it takes the mean of the weights, in which one named twice counts twice.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from imgen import weights
from imgen.errors import ModelError
from imgen.hashing import sha256_of
from imgen.networks.network import Network
from imgen.runtime.catalogue import BUILT_IN
from imgen.runtime.sharing import share
from imgen_export.graph import export


@torch.no_grad()
def rounded(network: Network) -> Network:
    """The network with each weight as near as half precision comes, in place.

    Raises:
        ModelError: a weight is beyond half precision.
    """
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(value.half())
            if not value.isfinite().all():
                raise ModelError(f"{name} holds weights beyond {torch.finfo(torch.half).max:g}; they cannot be halved")
    return network


def add(sources: Sequence[Path], name: str, folder: Path = BUILT_IN) -> None:
    """Write a model's files to a folder, and its entry in the catalogue that lies there.

    Args:
        sources: weights files of ours, whose mean is stored; what is said of the first is said of it.
        name: of the model; one of the same name is replaced, and stays the default of its task if it was.
        folder: with a ``catalogue.json``.

    Raises:
        ModelError: as ``weights.mean``, weights cannot be halved, or a graph differs from torch.
    """
    spec, network = weights.read_spec(sources[0]), weights.mean(sources)
    stored = folder / f"{name}.safetensors"
    weights.save(rounded(network), stored, replace(spec, name=name))
    spec = replace(weights.read_spec(stored), weights_sha256=sha256_of(stored))
    core, embed = (folder / f"{name}{ending}.onnx" for ending in ("", "-embed"))
    export(network, core, spec, "core")
    if spec.task != "generate":  # which takes no pictures
        export(network, embed, spec, "embed")
        embed.write_bytes(share(embed.read_bytes(), core.read_bytes(), core.name))
    catalogue = folder / "catalogue.json"
    entries = json.loads(catalogue.read_text())
    entries[name] = entries.get(name, {}) | {
        "file": core.name,
        "sha256": sha256_of(core),
        "bytes": core.stat().st_size,
        "licence": spec.licence,
        "task": spec.task,
        "card": f"{name}.md",
    }
    catalogue.write_text(json.dumps(entries, indent=2) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path, help="the .safetensors files that imgen train wrote")
    parser.add_argument("name")
    arguments = parser.parse_args()
    add(arguments.sources, arguments.name)
