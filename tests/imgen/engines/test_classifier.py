from itertools import repeat

import pytest
import torch
from torch.nn import functional as F

from imgen.data.batch import Batch
from imgen.engines.classifier import Classifier
from imgen.errors import UsageError
from imgen.networks.scale import Shape

SHAPE = Shape(8, 1, 3)


def draw(n: int = 32) -> Batch:
    """Noisy images whose class is their brightness."""
    label = torch.randint(3, (n,))
    image = (label.float() - 1)[:, None, None, None] * 0.8 + 0.3 * torch.randn(n, 1, 8, 8)
    return Batch(image, label, torch.arange(n))


def build() -> Classifier:
    torch.manual_seed(0)
    return Classifier.build(SHAPE, Classifier.Config(width=4, learning_rate=1e-2))


def test_it_learns(train) -> None:  # type: ignore[no-untyped-def]
    engine = build()
    history = train(engine, draw, 100)
    assert history[-1]["classifier"] < 0.7 * history[0]["classifier"]
    data = draw(300)
    probabilities = engine.classify(data.image)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(300))
    assert (probabilities.argmax(1) == data.label).float().mean() > 0.95


def test_data_of_unknown_label_are_passed_over() -> None:
    engine, data = build().eval(), draw(8)
    known = data.label[:4]
    data = data._replace(label=torch.cat([known, torch.full((4,), -1)]))
    ((name, loss),) = engine.step(repeat(data), 0)  # type: ignore[misc]
    assert name == "classifier"
    logits = engine.network(data.image[:4]).logits
    assert loss.item() == pytest.approx(F.cross_entropy(logits, known).item(), rel=1e-5)
    assert engine.terms() == {"accuracy": pytest.approx((logits.argmax(1) == known).float().mean().item())}
    ((_, loss),) = engine.step(repeat(data._replace(label=torch.full((8,), -1))), 0)  # type: ignore[misc]
    assert loss.item() == 0


@pytest.mark.parametrize("classes", [0, 1])
def test_data_without_classes_are_refused(classes: int) -> None:
    with pytest.raises(UsageError, match=f"2 or more classes, these have {classes}"):
        Classifier.build(Shape(8, 1, classes), Classifier.Config())


def test_it_makes_no_images() -> None:
    with pytest.raises(UsageError, match="Classifier has no prior"):
        build().sample(2)
