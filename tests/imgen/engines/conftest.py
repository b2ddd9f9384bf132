from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor
from torch.optim import Adam, RMSprop

from imgen.data.batch import Batch
from imgen.engines.engine import Engine

Train = Callable[[Engine, Callable[[], Batch | Tensor], int], list[dict[str, float]]]


@pytest.fixture
def train() -> Train:
    """A bare loop: ``train(engine, draw, steps)`` draws batches (or data alone), gives the losses of each step.

    Learning rates fall to 0 over the second half, which brings two players to rest.
    """
    return _train


def _train(engine: Engine, draw: Callable[[], Batch | Tensor], steps: int) -> list[dict[str, float]]:
    def batches() -> Batch:
        drawn = draw()
        unknown = torch.full((len(drawn),), -1)
        return Batch(drawn, unknown, torch.arange(len(drawn))) if isinstance(drawn, Tensor) else drawn

    engine.train()
    players = engine.players()
    parameters = {name: [p for p in player.network.parameters() if p.requires_grad] for name, player in players.items()}
    optimizers = {
        name: RMSprop(parameters[name], player.learning_rate)
        if player.optimizer == "rmsprop"
        else Adam(parameters[name], player.learning_rate, player.betas)
        for name, player in players.items()
    }
    history = []
    for t in range(steps):
        losses: dict[str, float] = {}
        for update in engine.step(iter(batches, None), t):
            both = update if isinstance(update, Mapping) else dict([update])
            gradients = {
                name: torch.autograd.grad(loss, parameters[name], retain_graph=True, allow_unused=True)
                for name, loss in both.items()
            }
            for name, grads in gradients.items():
                for parameter, grad in zip(parameters[name], grads, strict=True):
                    parameter.grad = grad
                optimizers[name].param_groups[0]["lr"] = players[name].learning_rate * min(1.0, 2 * (1 - t / steps))
                optimizers[name].step()
            losses |= {name: loss.item() for name, loss in both.items()}
        history.append(losses)
    engine.eval()
    return history
