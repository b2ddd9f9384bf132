"""The pane: caps of known area and slope, light that adds up, a lens that blurs by a disc."""

import numpy as np
import pytest

from imgen.data.glass import Pane, edge, linear


def _pane(level=100, side=96, blur=0.0):
    return Pane(np.full((side, side, 3), level, np.uint8), np.random.default_rng(0), 480, blur)


def test_a_cap_has_its_area_its_height_and_its_slope():
    field = _pane().caps(np.array([[48.0, 50.0]]), np.array([[20.0, 30.0]]))
    assert edge(field).sum() == pytest.approx(np.pi * 20 * 30, rel=0.02)
    assert field[50, 48] == pytest.approx(600**0.5)
    assert np.hypot(*np.gradient(_pane().caps(np.array([[48.0, 48.0]]), np.full((1, 2), 30.0))))[48, 77] == (
        pytest.approx(2, rel=0.05)
    )


def test_caps_that_meet_melt_together_and_others_do_not():
    two = np.full((2, 2), 12.0)
    apart, near = (_pane().caps(np.array([[48 - d, 48.0], [48 + d, 48.0]]), two) for d in (20.0, 12.3))
    assert edge(apart).sum() == pytest.approx(2 * np.pi * 144, rel=0.02)
    assert near[48, 48] > 0 > 12 * (1 - (12.3 / 12) ** 2)  # the height of each of them there
    assert edge(near).sum() > 2 * np.pi * 144


def test_caps_beyond_the_border_leave_the_pane_as_it_is():
    assert not edge(_pane().caps(np.array([[-50.0, 20.0], [200.0, 200.0]]), np.full((2, 2), 9.0))).any()


@pytest.mark.parametrize("gamma", [1.0, 2.2])
def test_light_of_scene_and_matter_add_up(gamma):
    pane = _pane(100)
    cover = np.tile(np.linspace(0, 1, 96, dtype=np.float32), (96, 1))
    light = np.full((96, 96, 3), 0.6, np.float32)
    image, mask = pane.through(cover, light, gamma)
    wanted = 255 * ((1 - mask) * (100 / 255) ** gamma + mask * 0.6) ** (1 / gamma)
    assert np.abs(image - wanted[..., None]).max() < 0.51
    assert np.abs(mask - cover).max() <= 1 / 255


@pytest.mark.parametrize("blur", [2.5, 12.0])  # at full size, and on a smaller pane
def test_a_point_out_of_focus_is_a_disc(blur):
    pane = _pane(0, 240, blur)
    cover = np.zeros((pane.height, pane.width), np.float32)
    cover[pane.height // 2, pane.width // 2] = 1
    _, mask = pane.through(cover, np.ones((*cover.shape, 3), np.float32), 1.0)
    rows, columns = np.nonzero(mask > mask.max() / 2)
    assert np.ptp(rows) == pytest.approx(2 * blur, rel=0.35)
    assert len(rows) == pytest.approx(np.pi * blur**2, rel=0.6)
    assert np.ptp(columns) == pytest.approx(np.ptp(rows), abs=2)


def test_noise_and_mist_have_the_deviation_and_the_share_they_are_made_for():
    panes = [Pane(np.zeros((256, 256, 3), np.uint8), np.random.default_rng(seed), 480, 0) for seed in range(30)]
    assert np.std([pane.noise(20) for pane in panes]) == pytest.approx(1, abs=0.15)
    assert np.mean([pane.mist(3, 0.3) > 0 for pane in panes]) == pytest.approx(0.3, abs=0.06)


def test_light_is_linear():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    assert linear(levels, 2.0) == pytest.approx((levels / 255.0) ** 2, abs=1e-6)
