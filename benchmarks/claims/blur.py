"""The blur of VAEs comes from the divergence on their codes, not from the squared error: AEGAN < WAE-GAN < VAE.

Wang et al. 2018 (ACM Multimedia), by Frechet distance on faces (40, 49, 78 with Inception's features; ours are of other
networks and data and cannot be compared with those). Here: clothes of 32 x 32 grey pixels, 16 values of code, the same
encoder and decoder in all arms, and the same number of steps, of which AEGAN spends the second half on its mapper. The
sharpness is the variance of the images' Laplacian, over that of the data: of samples, and of reconstructions.
"""

from dataclasses import fields

import torch
from measure import Found, main, train
from torch import Tensor
from torch.nn import functional as F
from vision import JUDGE, LITE, distance, real_images, sampled

from imgen.data.open import open_data
from imgen.engines import ENGINES

ARMS = ("vae", "wae-gan", "aegan")


def run(arm: str, seed: int, data: str, judge: str, steps: int) -> Found:
    source, kind = open_data([data], 32, batch=64, seed=seed), ENGINES[arm]
    settings = {"code": 16, "width": 16, "learning_rate": 1e-3, "autoencoder_steps": steps // 2}
    known = {field.name for field in fields(kind.Config)}
    config = kind.Config(**{name: value for name, value in settings.items() if name in known})
    engine = train(kind.build(source.shape, config), source, steps)
    made, shown = sampled(engine, 2000), real_images(data, 32, 1000)
    again = torch.cat([engine.reconstruct(part * 2 - 1) for part in shown.split(100)])
    return {
        **distance(made, judge, data, 32),
        **distance(made[:1000], LITE, data, 32),
        "error of reconstruction": float((again - shown).square().mean()),
        "sharpness of reconstructions": sharpness(again) / sharpness(shown),
        "sharpness of samples": sharpness(made) / sharpness(shown),
    }


def sharpness(images: Tensor) -> float:
    """Variance of the Laplacian of N x 1 x H x W."""
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return float(F.conv2d(images, kernel[None, None]).var())


if __name__ == "__main__":
    main(run, ARMS, data="folder or idx file of the clothes", judge=JUDGE, steps=(4000, "length of each run"))
