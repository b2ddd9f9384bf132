"""What does the adversary add to the absolute difference in pix2pix?

    python benchmarks/translate_ablation.py CAMVID --steps 20000 --out runs/ablation

Trains the small network of ``imgen train labels2street`` on CAMVID/train three times, on the same batches and for as
many steps: by L1 alone, by the adversary alone and by both (the rows of Isola et al. 2017, arXiv:1611.07004, table 1,
of conditional GANs). ``translate_quality.py labels`` then scores all three. A run that is in --out already is not
repeated.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from translate_quality import labels, table

from imgen import weights
from imgen_apps.recipes.pix2pix import RECIPES, Pix2PixRecipe


def variants(steps: int, seed: int) -> dict[str, Pix2PixRecipe]:
    """The three, by the name of their files."""
    whole = RECIPES["labels2street"]
    whole = replace(whole, train=replace(whole.train, steps=steps, seed=seed))
    return {
        "l1": replace(whole, losses=replace(whole.losses, adversarial=0.0)),
        "adversary": replace(whole, losses=replace(whole.losses, l1=0.0)),
        "both": whole,
    }


def train(recipe: Pix2PixRecipe, data: list[Path], model: Path, device: str) -> None:
    """Write what a run makes, unless it is there."""
    if model.exists():
        return
    trainer = recipe.trainer(data, model.parent, device)
    trainer.run()
    network = trainer.average.engine.product.to("cpu")
    weights.save(network, model, replace(recipe.spec(network), name=model.parent.name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=int, help="only the first N images of the test")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    arguments = parser.parse_args()

    data = [arguments.folder / "train" / name for name in ("label", "photo")]
    models = []
    for name, recipe in variants(arguments.steps, arguments.seed).items():
        models.append(arguments.out / name / "model.safetensors")
        train(recipe, data, models[-1], arguments.device)
    rows = labels(arguments.folder, [str(model) for model in models], arguments.device, arguments.limit)
    print(json.dumps(rows) if arguments.json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
