"""Contestants of races in tests; they live in processes of their own, so they are in a module."""

import os
import time

import numpy as np

from imgen.errors import UsageError
from imgen_apps.racing import Work


def sleeper(threads: int | None, seconds: float) -> Work:
    return lambda: time.sleep(seconds)


def worker(threads: int | None, seconds: float) -> Work:
    def work() -> None:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass

    return work


def eater(threads: int | None, size: int) -> Work:
    return lambda: np.ones(size, np.uint8).sum()


def refuser(threads: int | None) -> Work:
    raise UsageError(f"threads is {threads}, which nobody likes; take fewer")


def dier(threads: int | None) -> Work:
    os._exit(1)
