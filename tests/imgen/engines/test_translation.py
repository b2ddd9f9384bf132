"""What pix2pix, CycleGAN and pix2pixHD must all keep, at tiny sizes: isolation, exact resumption."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from imgen.engines.cyclegan import CycleGAN, CycleGANConfig, Domains
from imgen.engines.engine import Engine
from imgen.engines.pix2pix import Pix2Pix, Pix2PixConfig, Translation
from imgen.engines.pix2pixhd import Pix2PixHD, Pix2PixHDConfig, Scenes
from imgen.networks.patchgan import PIX2PIX, PatchGAN
from imgen.networks.pix2pixhd import MultiscaleDiscriminator
from imgen.networks.translation_resnet import TranslationResNet
from imgen.networks.unet import UNet
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer
from imgen.training.players import Players

SIZE = 16


def judge(channels: int = 3) -> PatchGAN:
    return PatchGAN(replace(PIX2PIX, channels=channels, width=2, depth=2))


def resnet(inputs: int = 3, blocks: int = 1) -> TranslationResNet:
    return TranslationResNet(TranslationResNet.Config(inputs, 3, 2, blocks))


def pix2pix() -> Pix2Pix:
    return Pix2Pix(UNet(UNet.Config(width=2, depth=4)), judge(6), Pix2PixConfig())


def cyclegan() -> CycleGAN:
    return CycleGAN(resnet(), resnet(), judge(), judge(), CycleGANConfig(pool=3))


def pix2pixhd() -> Pix2PixHD:
    judges = MultiscaleDiscriminator(MultiscaleDiscriminator.Config(6, 2, 1, 2))
    return Pix2PixHD(resnet(6), judges, resnet(blocks=0), None, Pix2PixHDConfig(perceptual=0.0))


def scenes(image: Tensor) -> Scenes:
    labels = torch.zeros(2, 2, SIZE, SIZE)
    labels[:, 0, 5:], labels[:, 1, :5] = 1, 1
    return Scenes(labels, labels[:, :1], labels[:, :1].long(), image)


METHODS: dict[str, tuple[Callable[[], Engine], Callable[[Tensor, Tensor], Any]]] = {
    "pix2pix": (pix2pix, Translation),
    "cyclegan": (cyclegan, Domains),
    "pix2pixhd": (pix2pixhd, lambda image, _: scenes(image)),
}
names = pytest.mark.parametrize("name", METHODS)


def build(name: str) -> Engine:
    torch.manual_seed(0)
    return METHODS[name][0]()


class Drawn:
    """Batches of 2."""

    def __init__(self, name: str) -> None:
        self.kind = METHODS[name][1]

    def batch(self, number: int) -> Any:
        images = torch.rand(2, 2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(number))
        return self.kind(*images)

    def __iter__(self) -> Iterator[Any]:
        number = 0
        while True:
            yield self.batch(number)
            number += 1


@names
def test_each_player_moves_alone(name: str) -> None:
    engine, moved = build(name), set()
    players = Players(engine, TrainConfig(steps=2), torch.device("cpu"))
    owned = {key: {id(p) for p in players.parameters(key)} for key in players.optimizers}
    before: list[Tensor] = []

    def remember(*_: object) -> None:
        before[:] = [p.detach().clone() for p in engine.parameters()]

    def compare(player: str) -> None:
        changed = {id(p) for p, old in zip(engine.parameters(), before, strict=True) if not torch.equal(p, old)}
        assert changed == owned[player], player
        moved.add(player)

    for key, optimizer in players.optimizers.items():
        optimizer.register_step_pre_hook(remember)
        optimizer.register_step_post_hook(lambda *_, key=key: compare(key))
    batches = iter(Drawn(name))
    for t in range(2):
        players.step(batches, t)
    assert moved == players.optimizers.keys()
    assert set.union(*owned.values()) == {id(p) for p in engine.parameters()}
    assert all(abs(term) < float("inf") for term in {**players.losses(), **engine.terms()}.values())


@names
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(name: str, tmp_path: Path) -> None:
    def trainer(folder: str, steps: int) -> Trainer:
        config = TrainConfig(steps=steps, save_every=100)
        return Trainer(build(name), Drawn(name), config, tmp_path / folder)

    whole, first, second = trainer("whole", 6), trainer("cut", 4), trainer("cut", 6)
    torch.manual_seed(1)
    whole.run()
    torch.manual_seed(1)
    first.run()
    torch.manual_seed(2)  # whatever happens in between
    second.resume()
    second.run()
    for mine, theirs in ((whole.engine, second.engine), (whole.average.engine, second.average.engine)):
        for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(a, b)


@names
@pytest.mark.parametrize("config", [{"accumulate": 2}, {"precision": "bf16"}], ids=str)
def test_the_ways_to_train_are_open_to_all(name: str, config: dict[str, Any]) -> None:
    engine = build(name)
    players = Players(engine, TrainConfig(steps=2, **config), torch.device("cpu"))
    batches = iter(Drawn(name))
    for t in range(2):
        players.step(batches, t)
    assert all(abs(loss) < float("inf") for loss in players.losses().values())
    assert engine.product(Drawn(name).batch(0)[0] if name != "pix2pixhd" else torch.rand(2, 6, 16, 16)).max() <= 1
