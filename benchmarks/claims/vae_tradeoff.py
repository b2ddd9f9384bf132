"""The weight of a VAE's divergence: too strong, and all reconstructions are the same; too weak, and samples are bad.

The trade-off of Higgins et al. 2017, "beta-VAE", on digits of 16 x 16 pixels, 8 values of code, 500 steps of 64.
The reconstruction's error and the spread of the reconstructions (both over the
variance of the data, so that 1 is the error of the mean image, and the spread of the data) are measured on 512 digits;
so is the distance of codes, drawn from the posteriors, from the prior. 2000 samples are judged by the Frechet distance
with a classifier of the digits.
"""

import torch
from measure import Found, main, train
from vision import JUDGE, distance, sampled

from imgen.data.open import open_data
from imgen.engines.vae import VAE
from imgen.losses.divergence import inverse_multiquadratics, mmd

BETAS = (0.01, 0.1, 1.0, 10.0, 100.0)


def run(arm: str, seed: int, data: str, judge: str) -> Found:
    source = open_data([data], 16, batch=64, seed=seed, channels=1)
    config = VAE.Config(code=8, width=16, likelihood="fixed", beta=float(arm.removeprefix("beta ")))
    engine = train(VAE.build(source.shape, config), source, 500)
    assert isinstance(engine, VAE)
    figures = distance(sampled(engine, 2000), judge, data, 16)
    images = [source.batch(number).image for number in range(8)]
    shown = torch.cat(images)
    codes = [engine.posterior(image).sample() for image in images]
    kernels = inverse_multiquadratics(8)
    apart = [float(mmd(code, engine.prior(len(code)), kernels)) for code in codes]
    again, scale = engine.reconstruct(shown), float((shown / 2).var(0).sum())
    return figures | {
        "error of reconstruction": float((again - (shown + 1) / 2).square().sum() / len(shown)) / scale,
        "spread of reconstructions": float(again.var(0).sum()) / scale,
        "MMD of codes and prior": sum(apart) / len(apart),
    }


if __name__ == "__main__":
    main(run, [f"beta {beta:g}" for beta in BETAS], data="folder of the digits (idx files)", judge=JUDGE)
