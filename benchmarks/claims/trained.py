"""What a trained network that is told the class makes of it: samples of a class, and holes filled round by round.

    python benchmarks/claims/trained.py runs/fruit/autoencoder.safetensors --data fruit/train --test fruit/test
    python benchmarks/claims/trained.py fruit --data fruit/train --test fruit/test

Of the autoencoder.safetensors of a run, what class_accuracy.py and iterated_inpainting.py measure
of short runs of their own: how many samples a classifier, which learnt from the images of ``--data`` by
EfficientNet-Lite0's features, puts into their class, beside images it has not seen; how much the samples of a class
differ; and the squared error in holes by round, of images that the network has not seen. Of a generator, its
model.safetensors or the name of a built-in one, all but the last. The images are judged with fewer pixels as well,
brought back to their size: how fine what tells the classes apart is.
"""

import argparse
from pathlib import Path

import torch
from class_accuracy import first, measured, opened
from iterated_inpainting import HOLES, ROUNDS, by_round
from torch import Tensor
from torch.nn import functional as F
from vision import LITE

from imgen import weights
from imgen.data.batch import signed
from imgen.data.open import open_items
from imgen.networks.conditional_autoencoder import ConditionalAutoencoder
from imgen.runtime.catalogue import weights_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="autoencoder.safetensors or model.safetensors of a run, or a name")
    parser.add_argument("--data", required=True, help="folder of the images to learn from")
    parser.add_argument("--test", required=True, help="the same of images that were not trained on")
    parser.add_argument("--samples", type=int, default=840, metavar="N", help="how many are judged")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)

    path = Path(given.model)
    spec, network = weights.read(path if path.is_file() else weights_file(given.model))
    fills = isinstance(network, ConditionalAutoencoder)
    decoder = network.decoder if fills else network
    items = open_items([given.test], spec.size, 3)
    real, of_real = first(items, 1 << 30)
    judge = opened(LITE, given.data, spec.size)

    label = torch.arange(given.samples) % spec.classes
    code = torch.randn(len(label), decoder.config.code)
    with torch.inference_mode():
        parts = zip(code.split(100), label.split(100), strict=True)
        made = torch.cat([decoder(values, of) for values, of in parts]).add(1).mul(127.5).round()
    sides = [spec.size >> halvings for halvings in range(4)]
    rows = {f"images of {side} pixels": (coarser(real, side), of_real) for side in sides}
    rows["samples"] = (made.to(torch.uint8), label)
    for name, (images, of) in rows.items():
        found = measured(judge, images, of, real, of_real)
        print(f"{name:20}", "  ".join(f"{key} {value:.3f}" for key, value in found.items()), flush=True)

    with torch.inference_mode():
        for hole in HOLES if fills else ():
            errors = by_round(lambda image, of: network((image + 1) / 2, of), signed(real), of_real, hole)
            print(f"error in holes, {hole}, rounds 1 to {ROUNDS}:", " ".join(f"{each:.4f}" for each in errors))


def coarser(images: Tensor, side: int) -> Tensor:
    """Images, N x C x S x S uint8, averaged down to a side and brought back to their own."""
    small = F.interpolate(images.float(), size=(side, side), mode="area")
    back = F.interpolate(small, size=images.shape[2:], mode="bicubic", align_corners=False)
    return back.clamp(0, 255).round().to(torch.uint8)


if __name__ == "__main__":
    main()
