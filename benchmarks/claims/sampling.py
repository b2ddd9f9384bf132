"""The codes of an auto-encoder cannot be sampled, those of a VAE can; a VAE's training is steady, a GAN's is not.

Kingma & Welling 2014, arXiv:1312.6114, and Goodfellow 2016, arXiv:1701.00160, sec. 5.1. Digits of 16 x 16 pixels, 8
values of code, the same networks. Judged by the Frechet distance of 2000 samples with a classifier of the digits. How
steady it is: the same of 500 samples of the networks as they are, not of their moving average, at six moments of the
second half; the deviation over those, over their mean.
"""

from dataclasses import fields
from statistics import mean, stdev

from measure import Found, main, train
from vision import JUDGE, distance, sampled

from imgen.data.open import open_data
from imgen.engines import ENGINES
from imgen.engines.engine import Engine
from imgen.losses.divergence import inverse_multiquadratics, mmd
from imgen.training.players import Players

ARMS = ("autoencoder", "vae", "wae-mmd", "dcgan")


def run(arm: str, seed: int, data: str, judge: str, steps: int) -> Found:
    source, kind = open_data([data], 16, batch=64, seed=seed), ENGINES[arm]
    settings = {"code": 100 if arm == "dcgan" else 8, "width": 16}
    known = {field.name for field in fields(kind.Config)}
    config = kind.Config(**{name: value for name, value in settings.items() if name in known})
    moments: list[float] = []

    def note(step: int, average: Engine, players: Players) -> None:
        del average
        if step > steps // 2 and step % (steps // 12) == 0:
            made = sampled(players.engine.eval(), 500)
            moments.extend(distance(made, judge, data, 16).values())
            players.engine.train()

    engine = train(kind.build(source.shape, config), source, steps, each=note)
    found = distance(sampled(engine, 2000), judge, data, 16)
    found["deviation over moments"] = stdev(moments) / mean(moments)
    if arm != "dcgan":
        images = [source.batch(number).image for number in range(8)]
        kernels = inverse_multiquadratics(8)
        apart = [float(mmd(engine.encode(image), engine.prior(len(image)), kernels)) for image in images]
        found["MMD of codes and prior"] = mean(apart)
        errors = [float((engine.reconstruct(image) - (image + 1) / 2).square().mean()) for image in images]
        found["error of reconstruction"] = mean(errors)
    return found


if __name__ == "__main__":
    main(run, ARMS, data="folder of the digits (idx files)", judge=JUDGE, steps=(1000, "length of each run"))
