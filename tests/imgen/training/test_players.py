import copy

import pytest
import torch
from torch import nn

from imgen.engines.engine import Engine, Player
from imgen.errors import ImgenError
from imgen.training.config import TrainConfig
from imgen.training.players import Players


def players(engine: Engine, **config) -> Players:
    return Players(engine, TrainConfig(steps=10, **config), torch.device("cpu"))


def batches(source, size: int = 8):
    numbers = source(size)
    index = 0
    while True:
        yield numbers.batch(index)
        index += 1


def test_no_loss_moves_another_player(duel, source) -> None:
    torch.manual_seed(0)
    engine = duel()
    at_work, moved = players(engine), []
    move = at_work._move

    def watch(name, parts):
        before = copy.deepcopy(engine.state_dict())
        move(name, parts)
        moved.append((name, {k.split(".")[0] for k, v in engine.state_dict().items() if not torch.equal(v, before[k])}))

    at_work._move = watch
    at_work.step(batches(source), 0)
    assert moved == [("critic", {"critic"}), ("generator", {"generator"})]
    assert all(p.grad is None for p in engine.parameters())


def test_a_dict_updates_all_players_from_the_old_point(duel, source) -> None:
    torch.manual_seed(0)
    engine = duel(duel.Config(together=True))
    by_hand = copy.deepcopy(engine)
    torch.manual_seed(1)
    (losses,) = by_hand.step(batches(source), 0)
    want = {
        name: torch.autograd.grad(loss, list(by_hand.players()[name].network.parameters()), retain_graph=True)
        for name, loss in losses.items()
    }
    at_work, got = players(engine), {}
    for name, optimizer in at_work.optimizers.items():
        optimizer.register_step_pre_hook(
            lambda o, *_, name=name: got.update({name: [p.grad.clone() for p in o.param_groups[0]["params"]]})
        )
    torch.manual_seed(1)
    at_work.step(batches(source), 0)
    for name, gradients in want.items():
        assert all(torch.equal(a, b) for a, b in zip(gradients, got[name], strict=True))


@pytest.mark.parametrize("together", [False, True])
def test_accumulated_batches_count_as_one_large_one(duel, source, together: bool) -> None:
    torch.manual_seed(0)
    one = duel(duel.Config(together, quiet=True)).double()
    many = copy.deepcopy(one)
    large, small = players(one, clip=0.05), players(many, clip=0.05, accumulate=4)

    whole = (b._replace(x=b.x.double()) for b in batches(source, 16))
    parts = (b._replace(x=b.x.double()) for b in batches(source, 4))
    for t in (1, 2, 4, 5, 7):  # of those that draw one batch: pairs of batches would be other pairs
        large.step(whole, t)
        small.step(parts, t)
    del one.seen, many.seen
    for (name, a), b in zip(one.state_dict().items(), many.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12, msg=name)


def test_clipping_limits_the_norm(duel, source) -> None:
    engine, norms = duel(), []
    at_work = players(engine, clip=1e-3)
    at_work.optimizers["critic"].register_step_pre_hook(
        lambda o, *_: norms.append(torch.stack([p.grad.norm() for p in o.param_groups[0]["params"]]).norm().item())
    )
    at_work.step(batches(source), 0)
    assert norms == [pytest.approx(1e-3, rel=1e-3)]


def test_learning_rates_follow_the_schedule(duel, source) -> None:
    at_work = players(duel(), warm_up=4)
    at_work.step(batches(source), 0)
    assert {name: o.param_groups[0]["lr"] for name, o in at_work.optimizers.items()} == {
        "generator": pytest.approx(0.0025),
        "critic": pytest.approx(0.0025),
    }


class Layout(Engine):
    """One convolution whose gradient comes in another order in memory than its weight."""

    def __init__(self, optimizer: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.optimizer, self.scale = optimizer, torch.rand(6, 4, 3, 3)
        self.network = nn.Conv2d(4, 6, 3, bias=False).to(memory_format=torch.channels_last)

    def players(self):
        return {"network": Player(self.network, 0.1, optimizer=self.optimizer)}

    def step(self, batches, t):
        yield "network", (self.network.weight.contiguous() * self.scale).square().sum()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("adam", lambda p: torch.optim.Adam(p, 0.1, (0.5, 0.999))),
        ("sgd", lambda p: torch.optim.SGD(p, 0.1)),
        ("rmsprop", lambda p: torch.optim.RMSprop(p, 0.1)),
    ],
)
def test_the_optimisers_do_not_mix_up_memory_formats(name: str, plain) -> None:
    engine = Layout(name)
    weight = engine.network.weight.detach().clone().contiguous().requires_grad_()
    optimizer, at_work = plain([weight]), players(engine)
    for t in range(3):
        optimizer.zero_grad()
        (weight * engine.scale).square().sum().backward()
        optimizer.step()
        at_work.step(iter(()), t)
    torch.testing.assert_close(engine.network.weight.detach(), weight.detach(), rtol=1e-4, atol=1e-5)


def test_bf16_reaches_the_losses_and_leaves_the_weights_alone(duel, source) -> None:
    engine, kinds = duel(), []
    engine.critic[1].register_forward_hook(lambda *args: kinds.append(args[2].dtype))
    players(engine, precision="bf16").step(batches(source), 0)
    assert set(kinds) == {torch.bfloat16}
    assert {p.dtype for p in engine.parameters()} == {torch.float32}


def test_a_weight_that_is_not_a_number_is_found_though_the_losses_are(duel, source) -> None:
    engine = duel()
    at_work = players(engine)
    at_work.step(batches(source), 0)
    at_work.check_finite()
    with torch.no_grad():
        engine.generator.weight[0, 0] = float("inf")
    assert at_work.losses()
    with pytest.raises(ImgenError, match="the generator has weights that are not numbers"):
        at_work.check_finite()
