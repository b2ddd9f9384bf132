import pytest
import torch
from torch import nn

from imgen.training.ema import MovingAverage


def test_the_average_forgets_its_start_and_follows() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average = MovingAverage(network, 0.9)
    nn.init.constant_(network.weight, 1.0)
    average.update(0)
    assert average.engine.weight.item() == pytest.approx(0.9)  # 1 - (1 + 0) / (10 + 0)
    for t in range(1, 200):
        average.update(t)
    assert average.engine.weight.item() == pytest.approx(1, abs=1e-6)


def test_late_steps_have_the_asked_for_weight() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 0.0)
    average = MovingAverage(network, 0.99)
    nn.init.constant_(network.weight, 1.0)
    average.update(10_000)
    assert average.engine.weight.item() == pytest.approx(0.01)


def test_buffers_are_copied_and_nothing_is_shared() -> None:
    network = nn.BatchNorm1d(3)
    average = MovingAverage(network, 0.9)
    network(torch.randn(8, 3))
    assert not torch.equal(average.engine.running_mean, network.running_mean)
    average.update(100)
    assert torch.equal(average.engine.running_mean, network.running_mean)
    assert average.engine.num_batches_tracked == 1
    assert not average.engine.training
    assert not any(p.requires_grad for p in average.engine.parameters())


def test_a_buffer_that_was_replaced_is_found_again() -> None:
    network = nn.BatchNorm1d(3)
    average = MovingAverage(network, 0.9)
    network.running_mean = torch.arange(3.0)
    average.update(0)
    assert average.engine.running_mean.tolist() == [0, 1, 2]
