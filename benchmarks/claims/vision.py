"""How the claims about images are judged: Frechet distances, by networks with a name."""

from collections.abc import Sequence

import torch
from torch import Tensor

from imgen.data.batch import Source
from imgen.engines.engine import Engine
from imgen.metrics import describe, frechet
from imgen.metrics.features import Extractor

JUDGE = "run of imgen train classifier on the same data"


def real_images(source: Source, count: int) -> Tensor:
    """The first images of a set, N x C x H x W in 0..1."""
    first = source.batch(0).image
    batches = [source.batch(number).image for number in range(-(-count // len(first)))]
    return (torch.cat(batches)[:count] + 1) / 2


def sampled(engine: Engine, count: int) -> Tensor:
    """As many samples, N x C x H x W in 0..1."""
    return torch.cat([engine.sample(100).cpu() for _ in range(-(-count // 100))])[:count]


def distances(made: Tensor, real: Tensor, extractors: Sequence[Extractor]) -> dict[str, float]:
    """Frechet distance of two sets of images, N x C x H x W in 0..1, by each extractor."""
    found: dict[str, float] = {}
    for extractor in extractors:
        a, b = (
            describe(extractor, [part.expand(-1, extractor.channels, -1, -1).numpy() for part in pixels(x).split(100)])
            for x in (made, real)
        )
        found[f"frechet[{extractor.name}]"] = frechet(a.features, b.features)
    return found


def pixels(images: Tensor) -> Tensor:
    """0..1 to bytes."""
    return (images * 255).round().to(torch.uint8)
