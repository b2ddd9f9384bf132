"""Without batch norm DCGAN fails and WGAN still trains.

Arjovsky et al. 2017, arXiv:1701.07875, fig. 6, and Gulrajani et al. 2017, arXiv:1704.00028, fig. 2. DCGAN's networks on
digits of 16 x 16 pixels, with batch norm and without it in either player (the critic of the gradient penalty never has
it), the same number of steps of the generator for all. Judged by the Frechet distance of 2000 samples with a classifier
of the digits; the last row is the distance of the untrained generator, for scale.
"""

from measure import Found, main, train
from vision import JUDGE, distance, sampled

from imgen.data.open import open_data
from imgen.engines.engine import Engine
from imgen.engines.gan import GAN
from imgen.engines.wgan import WGAN
from imgen.engines.wgan_gp import WGANGP
from imgen.networks.default import decoder, discriminator
from imgen.networks.scale import Shape

ARMS = [f"{method}, {norm}" for norm in ("batch", "none") for method in ("gan", "wgan", "wgan-gp")]


def engine_of(method: str, norm: str, shape: Shape) -> Engine:
    if method == "gan":
        return GAN.build(shape, GAN.Config(width=16, norm=norm))
    if method == "wgan":  # at its own rate of 5e-5 so few steps would show nothing
        return WGAN.build(shape, WGAN.Config(width=16, norm=norm, learning_rate=2e-4))
    config = WGANGP.Config(width=16, learning_rate=2e-4)
    generator = decoder(shape, config.code, width=16, norm=norm)
    return WGANGP(generator, discriminator(shape, width=16, norm="none"), config)


def run(arm: str, seed: int, data: str, judge: str, steps: int) -> Found:
    method, norm = arm.split(", ")
    source = open_data([data], 16, batch=64, seed=seed)
    engine = engine_of(method, norm, source.shape)
    before = distance(sampled(engine, 2000), judge, data, 16)
    after = distance(sampled(train(engine, source, steps), 2000), judge, data, 16)
    return after | {f"{name}, untrained": value for name, value in before.items()}


if __name__ == "__main__":
    main(run, ARMS, data="folder of the digits (idx files)", judge=JUDGE, steps=(600, "of the generator"))
