import pytest

from imgen.errors import UsageError
from imgen.training.config import TrainConfig


def test_rates_are_constant_unless_told_otherwise() -> None:
    assert {TrainConfig(steps=100).rate(t) for t in range(100)} == {1.0}


def test_rates_warm_up_stay_and_fall_to_0_at_the_last_step() -> None:
    config = TrainConfig(steps=1000, warm_up=100, decay=0.2)
    assert config.rate(0) == pytest.approx(0.01)
    assert config.rate(98) < config.rate(99) == 1
    assert config.rate(799) == 1
    assert config.rate(899) == pytest.approx(0.5)
    assert config.rate(998) == pytest.approx(1 / 200)
    assert config.rate(999) == 0


def test_a_single_step_has_nothing_to_decay() -> None:
    assert TrainConfig(steps=1, decay=0.5).rate(0) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("accumulate", 0),
        ("log_every", 0),
        ("warm_up", -1),
        ("clip", -1.0),
        ("workers", -1),
        ("decay", 1.5),
        ("ema", 1.0),
        ("precision", "fp8"),
    ],
)
def test_bad_values_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=name):
        TrainConfig(**{name: value})
