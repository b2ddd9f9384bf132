"""Several methods on the same data with the same networks: what each one's runs were worth, in one table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import mean, median, stdev

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.utils import make_grid

from imgen.data.batch import Batch, Source
from imgen.data.toys import Mixture
from imgen.engines.engine import Engine
from imgen.errors import UsageError
from imgen.metrics import compare_sets, describe, modes, reconstruction
from imgen.metrics.features import Described, Extractor
from imgen.training.pictures import grid

SHOWN = 16
"""Images of a method in the picture."""
_BATCH = 64

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Judge:
    """What runs are measured against: the same real data for all of them.

    Args:
        real: the first data of the set: N x C x H x W in -1..1, or points, with their labels.
        extractor: what sees images, or None for points.
        described: what it makes of the real images.
        mixture: where points come from.
    """

    real: Batch
    extractor: Extractor | None
    described: Described | None
    mixture: Mixture | None

    @classmethod
    def of(cls, source: Source, count: int, extractor: Extractor | None, mixture: Mixture | None) -> "Judge":
        """A judge by ``count`` data of a set, or by all that it has."""
        first = source.batch(0)
        count = min(count, source.length or count)
        batches = [first, *(source.batch(index) for index in range(1, -(-count // len(first.image))))]
        real = Batch(*(torch.cat(parts)[:count] for parts in zip(*batches, strict=True)))
        described = describe(extractor, _for(extractor, (real.image + 1) / 2)) if extractor else None
        return cls(real, extractor, described, mixture)

    @torch.no_grad()
    def __call__(self, engine: Engine) -> dict[str, float]:
        """Metric to value, of as many samples as there are real data; what a method cannot do is left out."""
        torch.manual_seed(0)
        found: dict[str, float] = {}
        with suppress(UsageError):  # no prior
            found |= self._samples(torch.cat([engine.sample(n).cpu() for n in _parts(len(self.real.image))]))
        if self.extractor is not None:
            with suppress(UsageError):  # no encoder
                found |= {f"reconstruction {name}": value for name, value in self._again(engine).items()}
        return found

    def _samples(self, made: Tensor) -> dict[str, float]:
        if self.mixture is not None:
            centres = modes(made.numpy(), self.mixture.centres, self.mixture.deviation)
            return {"modes": float(centres.covered), "high quality": centres.high_quality}
        if self.extractor is None or self.described is None:
            return {}
        return compare_sets(describe(self.extractor, _for(self.extractor, made)), self.described, self.extractor.name)

    def _again(self, engine: Engine) -> dict[str, float]:
        images, labels = self.real.image.split(_BATCH), self.real.label.split(_BATCH)
        again = [
            engine.reconstruct(image.to(engine.device), label.to(engine.device)).cpu()
            for image, label in zip(images, labels, strict=True)
        ]
        pairs = zip(_rows(torch.cat(again)), _rows((self.real.image + 1) / 2), strict=True)
        values = reconstruction(pairs)
        return {name: values[name] for name in ("psnr", "ssim") if name in values}


def pace(log: str) -> float:
    """Steps a second, the median of what a run's log.jsonl says; 0 where it says nothing.

    >>> pace('{"step": 1, "steps_per_second": 3.0}')
    3.0
    """
    values = [json.loads(line).get("steps_per_second") for line in log.splitlines()]
    return median([value for value in values if value] or [0.0])


def summarise(runs: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    """Metric to mean and deviation (of a sample, by n - 1) over the runs of a method; one run has no deviation."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    values = {name: [run[name] for run in runs if name in run] for name in names}
    return {
        name: {"mean": mean(found), "deviation": stdev(found) if len(found) > 1 else None}
        for name, found in values.items()
    }


def table(methods: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> str:
    """Method to what ``summarise`` gave, as a Markdown table: a metric a row, a method a column."""
    metrics = list(dict.fromkeys(metric for found in methods.values() for metric in found))
    rows = [
        ["", *methods],
        *([metric, *(_cell(found.get(metric)) for found in methods.values())] for metric in metrics),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


@torch.no_grad()
def show(engine: Engine, real: Batch) -> Tensor:
    """Some of what a method makes, C x H x W in 0..1; of points, their density beside that of the real ones."""
    torch.manual_seed(0)
    images = None
    if real.image.ndim == 2:
        images = grid(engine, real, 0)
    else:
        with suppress(UsageError):  # no prior
            images = make_grid(engine.sample(SHOWN).cpu(), SHOWN, pad_value=1)
    return torch.ones(real.image.shape[1] if real.image.ndim == 4 else 1, 8, 8) if images is None else images


def picture(rows: Mapping[str, Tensor]) -> Tensor:
    """Pictures below each other, each under its name: 3 x H x W in 0..1."""
    width = max(row.shape[2] for row in rows.values())
    parts: list[Tensor] = []
    for name, row in rows.items():
        colour = row.expand(3, -1, -1)
        parts += [_words(name, width), torch.nn.functional.pad(colour, (0, width - row.shape[2]), value=1.0)]
    return torch.cat(parts, 1)


def _cell(found: Mapping[str, float | None] | None) -> str:
    if found is None or found["mean"] is None:
        return "-"
    deviation = found["deviation"]
    return f"{found['mean']:.4g}" + ("" if deviation is None else f" ± {deviation:.2g}")


def _words(text: str, width: int) -> Tensor:
    font = ImageFont.load_default(14)
    paper = Image.new("L", (width, 22), 255)
    ImageDraw.Draw(paper).text((4, 2), text, 0, font)
    return (torch.from_numpy(np.array(paper)).float() / 255).expand(3, -1, -1)


def _parts(count: int) -> Iterator[int]:
    for start in range(0, count, _BATCH):
        yield min(_BATCH, count - start)


def _for(extractor: Extractor, images: Tensor) -> Iterator[Pixels]:
    """Batches of images in 0..1, with the channels that the extractor takes."""
    channels = images.shape[1]
    if channels not in {1, extractor.channels}:
        raise UsageError(f"{extractor.name} sees images of {extractor.channels} channel, these have {channels}")
    for part in images.split(_BATCH):
        yield (part * 255).round().to(torch.uint8).expand(-1, extractor.channels, -1, -1).numpy()


def _rows(images: Tensor) -> Pixels:
    """N x C x H x W in 0..1 as N x H x W x C pixels."""
    return (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
