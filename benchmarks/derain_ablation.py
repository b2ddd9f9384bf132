"""What do attention and the attentive discriminator add to raindrop removal?

    python benchmarks/derain_ablation.py --data PHOTOS --test OTHER_PHOTOS

Trains the contextual auto-encoder of ``imgen train deraining`` three times, from random weights, on the same batches
and for as many steps: without attention, with it, and with the attentive discriminator, too (A, AA, and AA + AD in the
terms of Qian et al. 2018, arXiv:1711.10098, table 1, which has A and AA + AD). The attention is that of the built-in
model, which has learnt to find drops before, and stays as it is. The averaged networks are then compared on drops
simulated on photographs that none of them was trained on, as ``derain_quality.py --simulated`` makes them: what a
network gives takes the place of the whole image.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from derain_quality import Scene, fidelity, simulated, table
from holes import photographs

from imgen import weights
from imgen.image.tensor import crop, pad_to_multiple, to_nchw, to_pixels
from imgen.networks.raindrops import RaindropRemover
from imgen.runtime.catalogue import weights_file
from imgen_apps.recipes.deraining import RECIPES, DerainingRecipe


def variants(steps: int, seed: int) -> dict[str, DerainingRecipe]:
    """The three, by what they have."""
    whole = RECIPES["deraining-paint"]
    whole = replace(whole, train=replace(whole.train, steps=steps, seed=seed, save_every=steps))
    rate = RECIPES["deraining"].losses.learning_rate
    # The same losses for all three, and the network without attention has no fill to learn.
    whole = replace(whole, losses=replace(whole.losses, learning_rate=rate, visible=0.0, opaque=0.0))
    judged = replace(whole.losses, adversarial=RECIPES["deraining-gan"].losses.adversarial)
    return {
        "no attention": replace(whole, network=replace(whole.network, steps=0)),
        "attention": whole,
        "attention and attentive discriminator": replace(whole, losses=judged, critic=RECIPES["deraining-gan"].critic),
    }


def trained(recipe: DerainingRecipe, finder: RaindropRemover, data: Sequence[Path], device: str) -> RaindropRemover:
    """The averaged network of a run."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = recipe.trainer(data, Path(folder), device)
        learner, average = trainer.engine.product, trainer.average.engine.product
        if recipe.network.steps:
            for network in (learner, average):
                network.get_submodule("attend").load_state_dict(finder.attend.state_dict())
        trainer.run()
    assert isinstance(average, RaindropRemover)
    return average.to("cpu").eval()


def quality(network: RaindropRemover, scenes: Sequence[Scene]) -> dict[str, float]:
    """Means over the views."""
    found = []
    for scene in scenes:
        image, size = pad_to_multiple(to_nchw(scene.dirty), network.multiple)
        with torch.inference_mode():
            made, _ = network(torch.from_numpy(image))
        found.append(fidelity(to_pixels(crop(made.numpy(), size)), scene.clean))
    decibels, similarity = np.mean(found, axis=0)
    return {"PSNR": float(decibels), "SSIM": float(similarity)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="photographs to train on")
    parser.add_argument("--test", type=Path, required=True, help="other photographs")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=int, help="only the first N photographs of the test")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    arguments = parser.parse_args()

    scenes = simulated(photographs(arguments.test)[: arguments.limit], arguments.seed)
    finder = weights.load(weights_file("derain-base"))
    assert isinstance(finder, RaindropRemover)
    before = np.mean([fidelity(scene.dirty, scene.clean) for scene in scenes], axis=0)
    rows = {"input": {"PSNR": float(before[0]), "SSIM": float(before[1])}}
    seconds = {}
    for name, recipe in variants(arguments.steps, arguments.seed).items():
        began = time.process_time()
        rows[name] = quality(trained(recipe, finder, arguments.data, arguments.device), scenes)
        seconds[name] = round(time.process_time() - began)
    if arguments.json:
        print(json.dumps({"scores": rows, "views": len(scenes), "steps": arguments.steps, "seconds": seconds}))
    else:
        print(f"{arguments.steps} steps, {len(scenes)} views, seed {arguments.seed}; processor time {seconds}\n")
        print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
