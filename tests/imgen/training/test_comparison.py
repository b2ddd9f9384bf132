import pytest
import torch

from imgen.data.open import open_data
from imgen.data.toys import MIXTURES
from imgen.engines.vae import VAE
from imgen.engines.wgan_gp import WGANGP
from imgen.networks.scale import Shape
from imgen.training.comparison import Judge, pace, picture, show, summarise, table


def test_the_summary_has_mean_and_sample_deviation_of_what_was_measured() -> None:
    found = summarise([{"a": 1.0, "b": 2.0}, {"a": 3.0}])
    assert found["a"] == {"mean": 2.0, "deviation": pytest.approx(2**0.5)}
    assert found["b"] == {"mean": 2.0, "deviation": None}


def test_the_table_is_markdown_with_a_dash_for_what_is_missing() -> None:
    lines = table({"vae": summarise([{"a": 1.0}, {"a": 3.0}]), "gan": summarise([{"b": 0.5}])}).splitlines()
    assert lines == [
        "|   | vae     | gan |",
        "|---|---------|-----|",
        "| a | 2 ± 1.4 | -   |",
        "| b | -       | 0.5 |",
    ]


def test_the_pace_is_the_median_of_the_log() -> None:
    lines = [f'{{"step": {step}, "steps_per_second": {value}}}' for step, value in enumerate((2.0, 9.0, 4.0))]
    assert pace("\n".join(lines)) == 4.0
    assert pace("") == 0.0


def test_points_are_judged_by_the_modes_they_cover() -> None:
    torch.manual_seed(0)
    judge = Judge.of(open_data(["toy:ring"], batch=64), 300, None, MIXTURES["ring"])
    assert judge.real.image.shape == (300, 2)
    engine = WGANGP.build(Shape(0, 2), WGANGP.Config(code=2, width=4)).eval()
    engine.sample = lambda n: judge.real.image[:n]  # type: ignore[method-assign,assignment]
    found = judge(engine)
    assert found == {"modes": 8, "high quality": pytest.approx(0.99, abs=0.02)}


def test_a_picture_has_a_row_a_method() -> None:
    torch.manual_seed(0)
    real = open_data(["toy:shapes"], 8, batch=4).batch(0)
    rows = {"vae": show(VAE.build(Shape(8), VAE.Config(code=2, width=4)).eval(), real)}
    assert rows["vae"].shape == (3, 12, 162)
    rows["grey"] = torch.zeros(1, 12, 100)
    image = picture(rows)
    assert image.shape == (3, 2 * (22 + 12), 162)
    assert (image[:, 56:, 100:] == 1).all()  # nothing beside a narrow row
    assert (image[:, :22] < 0.5).any()  # the name
