from dataclasses import dataclass
from typing import Literal

import pytest

from imgen.cli.settings import split, values_for
from imgen.errors import UsageError


@dataclass(frozen=True)
class Config:
    width: int = 64
    beta: float = 1.0
    joint: bool = False
    norm: str = "batch"
    precision: Literal["fp32", "bf16"] = "fp32"


def test_texts_become_values_of_the_fields() -> None:
    texts = split(["width=32", "beta = 1e-2", "joint=yes", "norm=none", "precision=bf16"])
    values = values_for(Config, texts, "vae")
    assert values == {"width": 32, "beta": 0.01, "joint": True, "norm": "none", "precision": "bf16"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("width", "write name=value"),
        ("=3", "write name=value"),
        ("width=wide", "width is a whole number"),
        ("width=1.5", "width is a whole number"),
        ("beta=", "beta is a number"),
        ("wdith=3", "no setting of vae is called 'wdith'; did you mean 'width'?"),
        ("joint=perhaps", "no value of joint"),
        ("precision=fp8", "precision is one of fp32, bf16"),
    ],
)
def test_what_makes_no_value_is_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        values_for(Config, split([text]), "vae")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_comes_once() -> None:
    with pytest.raises(UsageError, match="twice"):
        split(["width=1", "width=2"])
