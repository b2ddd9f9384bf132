from pathlib import Path

import torch

from imgen.networks.conv import ConvDecoder
from imgen.networks.mapped import MappedDecoder, Standardiser
from imgen.networks.mlp import MLP
from imgen.spec import Spec
from imgen.weights import load, save


def mapped() -> MappedDecoder:
    torch.manual_seed(0)
    decoder = ConvDecoder(ConvDecoder.Config(8, 1, code=3, width=4, norm="none", output="sigmoid"))
    mapper = MLP(MLP.Config(2, 3, width=8))
    return MappedDecoder.of(mapper, decoder)


def test_what_is_standardised_is_restored() -> None:
    torch.manual_seed(0)
    code = torch.randn(64, 3) * torch.tensor([0.1, 5.0, 100.0]) + torch.tensor([3.0, -40.0, 0.0])
    standardiser = Standardiser(3)
    standardiser.update(code)
    standard = standardiser(code)
    torch.testing.assert_close(standard.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std(0, correction=0), torch.ones(3))
    torch.testing.assert_close(standardiser.restore(standard), code)


def test_a_fresh_standardiser_changes_nothing() -> None:
    code = torch.randn(5, 3)
    assert torch.equal(Standardiser(3)(code), code)


def test_the_first_batches_count_equally_with_the_spread_between_them() -> None:
    torch.manual_seed(0)
    code = torch.randn(40, 10, 3) + torch.arange(40.0)[:, None, None]
    standardiser = Standardiser(3)
    for batch in code:
        standardiser.update(batch)
    everything = code.reshape(-1, 3)
    torch.testing.assert_close(standardiser.mean, everything.mean(0))
    torch.testing.assert_close(standardiser.deviation, everything.std(0, correction=0))


def test_old_batches_are_forgotten() -> None:
    standardiser = Standardiser(1)
    for scale in [1.0] * 300 + [10.0] * 1000:
        standardiser.update(torch.tensor([[-scale], [scale]]))
    torch.testing.assert_close(standardiser.deviation, torch.tensor([10.0]), atol=0.01, rtol=0)


def test_a_constant_code_stays_finite() -> None:
    standardiser = Standardiser(2)
    standardiser.update(torch.ones(4, 2))
    assert standardiser(torch.zeros(1, 2)).isfinite().all()


def test_the_parts_in_a_row() -> None:
    network = mapped()
    network.standardiser.update(torch.randn(50, 3) * 7 + 1)
    noise = torch.randn(4, 2)
    code = network.mapper(noise) * network.standardiser.deviation + network.standardiser.mean
    torch.testing.assert_close(network(noise), network.decoder(code))
    assert network.range == "unit"


def test_a_file_brings_back_both_networks_and_the_moments(tmp_path: Path) -> None:
    network = mapped()
    network.standardiser.update(torch.randn(50, 3) * 7 + 1)
    save(network, tmp_path / "model.safetensors", Spec(name="m", task="generate", licence="CC0-1.0"))
    noise = torch.randn(4, 2)
    assert torch.equal(load(tmp_path / "model.safetensors")(noise), network.eval()(noise))
