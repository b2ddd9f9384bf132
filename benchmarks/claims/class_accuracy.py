"""Samples of a CVAE-GAN are of their class: CVAE < CGAN < CGAN with feature matching < CVAE-GAN.

Bao et al. 2017, arXiv:1703.10155, table 1, on faces: an independent classifier is right about 8, 62, 80 and 98 % of
the samples, and about 99.6 % of real images. Here: any labelled set, the same networks, rate and number of steps in
all arms, every class equally often. The CVAE-GAN has the published weights, by which means and centres count for
little beside the pairs, and a second arm in which they count a thousand times as much. The judge is a classifier with
a run of its own or, where images are too few for one, logistic regression on EfficientNet-Lite0's features of those
trained on and their mirror images. Variances within the classes, of pixels and of the judge's features, are over those
of real images that were not trained on: a method that makes one image of each class has none.
"""

from functools import cache

import numpy as np
import torch
from measure import Found, main, train
from torch import Tensor
from torch.nn import functional as F
from vision import JUDGE

from imgen.data.items import Items
from imgen.data.open import open_data, open_items
from imgen.engines import ENGINES
from imgen.engines.engine import Engine
from imgen.errors import UsageError
from imgen.metrics import describe, open_extractor
from imgen.metrics.features import LITE, Described, Extractor

SETTINGS: dict[str, dict[str, object]] = {
    "conditional-vae": {},
    "conditional-gan": {"mismatch": 0.0},
    "conditional-gan, feature-matching": {"mismatch": 0.0, "loss": "feature-matching"},
    "cvae-gan": {},
    "cvae-gan, means and centres 1": {"means": 1.0, "centres": 1.0},
}
RATE = 5e-4
DECAY = 1e-3  # of the regression's squared coefficients, of features that are each scaled to deviation 1
ARMS = ("real images", *SETTINGS)


def run(arm: str, seed: int, *, data: str, test: str, judge: str, **numbers: int) -> Found:
    size, batch, samples = numbers["size"], numbers["batch"], numbers["samples"]
    source = open_data([data], size, batch=batch, seed=seed)
    held = open_items([test], source.shape.size, source.shape.channels)
    classes = source.shape.classes
    if held.shape.classes != classes:
        raise UsageError(f"{test} has {held.shape.classes} classes, {data} has {classes}; name two halves of one set")
    real, of_real = first(held, samples)
    extractor = opened(judge, data, source.shape.size)
    if arm == "real images":
        return measured(extractor, real, of_real, real, of_real)
    kind = ENGINES[arm.split(",", maxsplit=1)[0]]
    sizes = {"code": numbers["code"], "width": numbers["width"], "learning_rate": RATE}
    engine = kind.build(source.shape, kind.Config(**sizes, **SETTINGS[arm]))
    engine = train(engine, source, numbers["steps"])
    label = torch.arange(samples) % classes
    return measured(extractor, _made(engine, label), label, real, of_real)


@cache
def opened(judge: str, data: str, size: int) -> Extractor:
    """A classifier that was trained, or Lite0 with scores of the classes of these images, as large as the samples."""
    extractor = open_extractor(judge)
    return Regression(extractor, open_items([data], size)) if judge == LITE else extractor


class Regression:
    """Features with the probabilities of classes, by multinomial logistic regression.

    Args:
        extractor: of the features.
        items: learnt from, and from their mirror images.
    """

    def __init__(self, extractor: Extractor, items: Items) -> None:
        self.extractor, self.name = extractor, f"{extractor.name}, regression"
        self.size, self.channels = extractor.size, extractor.channels
        pixels, numbers = items.pixels(np.arange(len(items)))
        label = torch.from_numpy(items.labels[numbers]).repeat(2)
        features = self._features(torch.cat([pixels, pixels.flip(3)]))
        self.mean, self.deviation = features.mean(0), features.std(0) + 1e-3
        self.scores = torch.nn.Linear(features.shape[1], len(items.classes))
        torch.nn.init.zeros_(self.scores.weight)
        optimizer = torch.optim.LBFGS(self.scores.parameters(), max_iter=200, line_search_fn="strong_wolfe")
        x = (features - self.mean) / self.deviation

        def loss() -> Tensor:
            optimizer.zero_grad()
            total = F.cross_entropy(self.scores(x), label) + DECAY * self.scores.weight.square().sum()
            total.backward()
            return total

        optimizer.step(loss)

    def __call__(self, images: np.ndarray) -> Described:
        """N x channels x size x size."""
        features = self.extractor(images).features
        with torch.no_grad():
            scores = self.scores((torch.from_numpy(features) - self.mean) / self.deviation)
        return Described(features, scores.softmax(1).numpy())

    def _features(self, pixels: Tensor) -> Tensor:
        return torch.from_numpy(describe(self.extractor, _parts(pixels, self.channels)).features)


def measured(extractor: Extractor, images: Tensor, label: Tensor, real: Tensor, of_real: Tensor) -> Found:
    """How many images, N x C x H x W uint8, the judge puts into their class, and how much a class's images differ."""
    found, wanted = (describe(extractor, _parts(each, extractor.channels)) for each in (images, real))
    if found.probabilities is None:
        raise UsageError(f"{extractor.name} is no classifier; name a run of imgen train classifier, or {LITE}")
    right = found.probabilities.argmax(1) == label.numpy()
    features = [torch.from_numpy(each.features) for each in (found, wanted)]
    return {
        "accuracy": float(right.mean()),
        "variance of pixels": within(images / 255, label) / within(real / 255, of_real),
        "variance of features": within(features[0], label) / within(features[1], of_real),
    }


def within(values: Tensor, label: Tensor) -> float:
    """The variance of N x ..., summed over its values, around the means of the classes, averaged over the classes."""
    flat = values.flatten(1).double()
    members = [flat[label == number] for number in label.unique()]
    return float(np.mean([float(each.var(0).sum()) for each in members if len(each) > 1]))


def first(items: Items, count: int) -> tuple[Tensor, Tensor]:
    """As many images of a set, drawn evenly from all of it, N x C x H x W uint8, and their classes."""
    numbers = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(np.int64)
    pixels, found = items.pixels(numbers)
    return pixels, torch.from_numpy(items.labels[found])


def _made(engine: Engine, label: Tensor) -> Tensor:
    made = [engine.sample(len(part), part) for part in label.split(100)]
    return (torch.cat(made) * 255).round().to(torch.uint8)


def _parts(images: Tensor, channels: int) -> list[np.ndarray]:
    return [part.expand(-1, channels, -1, -1).numpy() for part in images.split(4)]


if __name__ == "__main__":
    main(
        run,
        ARMS,
        data="folder or idx file of the images to train on",
        test="the same of images to judge by",
        judge=f"{JUDGE}, or {LITE}",
        size=(32, "side of the images"),
        steps=(4000, "length of each run"),
        batch=(64, "images a step"),
        width=(16, "of the networks"),
        code=(64, "values of the codes"),
        samples=(2000, "images judged"),
    )
