"""Contestants that take turns, each in a process of its own."""

import sys

import pytest

from imgen.errors import ModelError, UsageError
from imgen_apps.racing import Contestant, race
from tests.apps.racers import dier, eater, refuser, sleeper, worker


def test_sleep_costs_no_processor_time_and_work_does() -> None:
    asleep, at_work = race([Contestant("a", sleeper, (0.05,)), Contestant("b", worker, (0.05,))], 2)
    assert len(asleep.walls) == len(at_work.processors) == 2
    assert min(asleep.walls) >= 0.05
    assert max(asleep.processors) < 0.04
    assert min(at_work.processors) >= 0.05
    assert asleep.startup > 0.05


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the system does not tell")
def test_memory_is_each_one_s_own() -> None:
    small, large = race([Contestant("a", eater, (1,)), Contestant("b", eater, (300_000_000,))], 1)
    assert 250e6 < large.memory - small.memory < 350e6


@pytest.mark.parametrize(("prepare", "kind", "said"), [(refuser, UsageError, "nobody"), (dier, ModelError, "b: its")])
def test_what_goes_wrong_with_one_is_said(prepare, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        race([Contestant("a", sleeper, (0.0,)), Contestant("b", prepare, (), threads=3)], 1)
