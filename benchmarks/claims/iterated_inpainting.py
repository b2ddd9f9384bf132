"""A CVAE-GAN fills holes better in every round, in images it has not seen, too.

Bao et al. 2017, arXiv:1703.10155, and lectures after it: the image with a hole goes through the auto-encoder, which is
told the class; the hole takes what comes out; ten times. Here: any labelled set in two halves; holes that are squares
in the middle or random strokes; the mean squared error of the pixels in the hole, 0..1, by round, of images that were
trained on and of images that were not, and of the latter with another class said than the true one.
"""

from collections.abc import Callable

import numpy as np
import torch
from class_accuracy import first
from measure import Found, main, train
from torch import Tensor

from imgen.data.batch import signed
from imgen.data.masks import strokes
from imgen.data.open import open_data, open_items
from imgen.engines import ENGINES
from imgen.errors import UsageError
from imgen_apps.iterated_inpainting import iterated

SETTINGS: dict[str, dict[str, object]] = {"conditional-vae": {}, "cvae-gan": {"means": 1.0, "centres": 1.0}}
HOLES = ("middle", "strokes")
ARMS = [f"{method}, {hole}" for method in SETTINGS for hole in HOLES]
RATE = 5e-4
ROUNDS = 10


def run(arm: str, seed: int, *, data: str, test: str, **numbers: int) -> Found:
    method, hole = arm.split(", ")
    source = open_data([data], numbers["size"], batch=numbers["batch"], seed=seed)
    shape, kind = source.shape, ENGINES[method]
    config = kind.Config(code=numbers["code"], width=numbers["width"], learning_rate=RATE, **SETTINGS[method])
    engine = train(kind.build(shape, config), source, numbers["steps"])
    found: Found = {}
    for name, where in (("seen", data), ("unseen", test)):
        items = open_items([where], shape.size, shape.channels)
        if items.shape.classes != shape.classes:
            raise UsageError(f"{test} and {data} have different classes; name two halves of one set")
        images, label = first(items, numbers["images"])
        errors = by_round(engine.reconstruct, signed(images), label, hole)
        shown = (1, 2, 3, 5, ROUNDS)
        found |= {f"error, {name}, round {number}": errors[number - 1] for number in shown}
        if name == "unseen":
            other = by_round(engine.reconstruct, signed(images), (label + 1) % shape.classes, hole)
            found["error, unseen, round 10, another class"] = other[-1]
            found["error, round 10, unseen over seen"] = errors[-1] / found["error, seen, round 10"]
            found["rounds that were better than the one before"] = float(np.sum(np.diff(errors) < 0))
    return found


def by_round(reconstructed: Callable[[Tensor, Tensor], Tensor], image: Tensor, label: Tensor, hole: str) -> list[float]:
    """The mean squared error in the holes after each round, of images in -1..1, taken as 0..1.

    Args:
        reconstructed: images in -1..1 and their classes, N int64, to the images in 0..1 that become of them.
        image: N x C x S x S in -1..1.
        label: N int64.
        hole: one of ``HOLES``.
    """
    whole = ((image + 1) / 2).numpy()
    mask = holes(hole, len(image), image.shape[-1])

    def reconstruct(shown: np.ndarray) -> np.ndarray:
        parts = zip(torch.from_numpy(shown).split(100), label.split(100), strict=True)
        return torch.cat([reconstructed(2 * part - 1, of) for part, of in parts]).numpy()

    inside = np.broadcast_to(mask > 0, whole.shape)
    return [float(np.square(each - whole)[inside].mean()) for each in iterated(reconstruct, whole, mask, ROUNDS)]


def holes(kind: str, count: int, size: int) -> np.ndarray:
    """N x 1 x S x S, 1 = fill: half as wide and high as the image, in its middle, or random ones, always the same."""
    mask = np.zeros((count, 1, size, size), np.float32)
    if kind == "middle":
        mask[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = 1
        return mask
    for number in range(count):
        mask[number, 0] = strokes(np.random.default_rng(number), size, size)
    return mask


if __name__ == "__main__":
    main(
        run,
        ARMS,
        data="folder or idx file of the images to train on",
        test="the same of images that are not seen",
        size=(32, "side of the images"),
        steps=(4000, "length of each run"),
        batch=(64, "images a step"),
        width=(16, "of the networks"),
        code=(64, "values of the codes"),
        images=(500, "images with holes, of each half"),
    )
