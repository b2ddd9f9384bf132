"""All that is said of two sets of images, from what one network makes of them."""

from imgen.metrics.coverage import coverage
from imgen.metrics.features import Described
from imgen.metrics.frechet import frechet
from imgen.metrics.kernel import kernel_distance
from imgen.metrics.score import score


def compare_sets(made: Described, real: Described, network: str) -> dict[str, float]:
    """Metric to value; each name ends in that of the network.

    Frechet and kernel distance, precision, recall, density and coverage; and the inception-style score of the made
    images where the network is a classifier and there are 100 of them.

    Args:
        made: the images to judge.
        real: those they should be like, described by the same network.
        network: its name.

    Raises:
        UsageError: fewer than six images in a set, or sets described by different networks.
    """
    values = {
        "frechet": frechet(made.features, real.features),
        "kernel": kernel_distance(made.features, real.features),
        **coverage(made.features, real.features)._asdict(),
    }
    if made.probabilities is not None and len(made.probabilities) >= 100:
        values["score"], values["score deviation"] = score(made.probabilities)
    return {f"{name}[{network}]": value for name, value in values.items()}
