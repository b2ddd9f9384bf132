"""The pixels of two different pictures must count little: lambda 0.1 keeps identities that 1 loses.

Bao et al. 2018, "Towards Open-Set Identity Preserving Face Synthesis", arXiv:1803.11182, sec. 3.3: where identity and
attributes come from two pictures, the squared error of the pixels against the second is weighted by lambda = 0.1.
Here: digits, whose identity is which digit it is. IP-GAN learns from the digits 0 to 6; given are the digits 7 to 9,
which it has never seen, and pictures of other digits for the attributes. An independent classifier, trained on all
ten, says which digit comes out. Attributes are the slant (the shear that uprights the ink, by its second moments) and
the amount of ink: the mean absolute error of each, and what it would be if attributes were drawn at random.
"""

import numpy as np
import torch
from measure import Found, main, train
from numpy.typing import NDArray
from torch import Tensor
from vision import JUDGE

from imgen.data.batch import Batch, signed
from imgen.data.items import Items
from imgen.data.open import open_items
from imgen.data.order import order
from imgen.engines.ip_gan import IPGAN
from imgen.errors import UsageError
from imgen.metrics import describe, open_extractor
from imgen.networks.conv import ConvDecoder, ConvDiscriminator, ConvEncoder
from imgen.networks.recogniser import Recogniser
from imgen.networks.scale import Shape

LEARNT = 7
"""Classes that are learnt from; the others are kept for the question."""
ARMS = {"lambda 0": 0.0, "lambda 0.1": 0.1, "lambda 1": 1.0}
CODE, ATTRIBUTES = 32, 16
RATE = 1e-3


class Known:
    """Batches of the classes that are learnt from."""

    def __init__(self, items: Items, batch: int, seed: int) -> None:
        self.items, self.size, self.seed = items, batch, seed
        self.numbers = np.flatnonzero(items.labels < LEARNT)
        self.shape, self.length = Shape(items.shape.size, items.shape.channels, LEARNT), len(self.numbers)

    def batch(self, index: int) -> Batch:
        """The batch of that number."""
        chosen = self.numbers[order(self.seed, self.length, index * self.size, (index + 1) * self.size)]
        pixels, numbers = self.items.pixels(chosen)
        return Batch(signed(pixels), torch.from_numpy(self.items.labels[numbers]), torch.from_numpy(numbers))


def run(arm: str, seed: int, *, data: str, test: str, judge: str, **numbers: int) -> Found:
    size, width = numbers["size"], numbers["width"]
    items, held = open_items([data], size), open_items([test], size)
    if len(items.classes) <= LEARNT + 1:
        raise UsageError(
            f"{data} has {len(items.classes)} classes; it takes {LEARNT + 2}, of which {LEARNT} are learnt"
        )
    source, channels = Known(items, numbers["batch"], seed), items.shape.channels
    who = Recogniser.Config(size, channels, CODE, width, classes=LEARNT)
    engine = IPGAN(
        Recogniser(who),
        ConvEncoder(ConvEncoder.Config(size, channels, 2 * ATTRIBUTES, width, 8 * width)),
        ConvDecoder(ConvDecoder.Config(size, channels, CODE + ATTRIBUTES, width, 8 * width)),
        Recogniser(who),
        ConvDiscriminator(ConvDiscriminator.Config(size, channels, width, 8 * width)),
        IPGAN.Config(learning_rate=RATE, recogniser_rate=RATE, different=ARMS[arm]),
    )
    trained = train(engine, source, numbers["steps"])
    assert isinstance(trained, IPGAN)
    return measured(trained.eval(), held, judge, numbers["images"])


@torch.no_grad()
def measured(engine: IPGAN, held: Items, judge: str, count: int) -> Found:
    """Digits never learnt from, with the attributes of other ones."""
    rng = np.random.default_rng(0)
    subjects = rng.choice(np.flatnonzero(held.labels >= LEARNT), count)
    others = rng.choice(np.flatnonzero(held.labels < LEARNT), count)
    (first, _), (second, _) = held.pixels(subjects), held.pixels(others)
    made = torch.cat(
        [engine.combine(*pair) for pair in zip(*(signed(x).split(100) for x in (first, second)), strict=True)]
    )
    found = classes(judge, (made * 255).round().to(torch.uint8))
    result = {
        "digit of the identity": float((found == held.labels[subjects]).mean()),
        "digit of the attributes": float((found == held.labels[others]).mean()),
        "the judge, on real ones": float((classes(judge, first) == held.labels[subjects]).mean()),
    }
    for name, measure in (("slant", slant), ("ink", ink)):
        mine, wanted = measure(made), measure(second.float() / 255)
        result[f"error of the {name}"] = float(np.abs(mine - wanted).mean())
        result[f"error of the {name}, at random"] = float(np.abs(rng.permutation(wanted) - wanted).mean())
    return result


def classes(judge: str, images: Tensor) -> NDArray[np.int64]:
    """What a classifier sees in images, N x C x H x W uint8."""
    extractor = open_extractor(judge)
    seen = describe(extractor, [part.expand(-1, extractor.channels, -1, -1).numpy() for part in images.split(64)])
    if seen.probabilities is None:
        raise UsageError(f"{judge} is no classifier; name the file of a run of imgen train classifier")
    return seen.probabilities.argmax(1)


def ink(images: Tensor) -> NDArray[np.float64]:
    """The mean of the pixels, 0..1, N."""
    return images.double().mean((1, 2, 3)).numpy()


def slant(images: Tensor) -> NDArray[np.float64]:
    """How far the ink leans, in pixels across to one down: covariance of x and y over the variance of y."""
    weight = images.double().mean(1)
    weight = weight / weight.sum((1, 2), keepdim=True).clamp(min=1e-6)
    y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in weight.shape[1:]), indexing="ij")
    centred = [axis - (weight * axis).sum((1, 2), keepdim=True) for axis in (x, y)]
    both, down = ((weight * a * b).sum((1, 2)) for a, b in ((centred[0], centred[1]), (centred[1], centred[1])))
    return (both / down.clamp(min=1e-6)).numpy()


if __name__ == "__main__":
    main(
        run,
        tuple(ARMS),
        data="idx file or folder of the images to train on",
        test="the same of images to judge by",
        judge=JUDGE,
        size=(32, "side of the images"),
        steps=(2000, "length of each run"),
        batch=(64, "images a step"),
        width=(12, "of the networks"),
        images=(1000, "pairs judged"),
    )
