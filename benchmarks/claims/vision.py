"""How the claims about images are judged: Frechet distances, by networks with a name."""

from functools import cache

import torch
from torch import Tensor

from imgen.data.open import open_data
from imgen.engines.engine import Engine
from imgen.metrics import describe, frechet, open_extractor
from imgen.metrics.features import Described, Extractor

JUDGE = "model.safetensors of a run of imgen train classifier on the same data"
LITE = "efficientnet-lite0"


def distance(made: Tensor, judge: str, data: str, size: int) -> dict[str, float]:
    """Frechet distance of samples, N x C x H x W in 0..1, from the first N images of a set.

    Args:
        made: the samples.
        judge: name or file of the network, as of ``imgen evaluate --features``.
        data: name of the set.
        size: side of its images.
    """
    extractor = _opened(judge)
    described = _described(extractor, made)
    return {f"frechet[{extractor.name}]": frechet(described.features, _real(judge, data, size, len(made)).features)}


def real_images(data: str, size: int, count: int) -> Tensor:
    """The same ones for all seeds, N x C x H x W in 0..1."""
    source = open_data([data], size, batch=100)
    return (torch.cat([source.batch(number).image for number in range(-(-count // 100))])[:count] + 1) / 2


def sampled(engine: Engine, count: int) -> Tensor:
    """As many samples, N x C x H x W in 0..1."""
    return torch.cat([engine.sample(100) for _ in range(-(-count // 100))])[:count]


@cache
def _opened(judge: str) -> Extractor:
    return open_extractor(judge)


@cache
def _real(judge: str, data: str, size: int, count: int) -> Described:
    return _described(_opened(judge), real_images(data, size, count))


def _described(extractor: Extractor, images: Tensor) -> Described:
    pixels = (images * 255).round().to(torch.uint8).expand(-1, extractor.channels, -1, -1)
    # Few at a time: with large maps most of the time would go into clearing memory, not into computing.
    return describe(extractor, [part.numpy() for part in pixels.split(4)])
