"""Inception-style score of a set of images, by the classes that a classifier sees in them.

Reference: Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, sec. 4. It is the
Inception score only with the Inception network; with another classifier it has to be named after that.
"""

import numpy as np
from numpy.typing import NDArray

from imgen.errors import UsageError


def score(probabilities: NDArray[np.floating], splits: int = 10) -> tuple[float, float]:
    """``exp E KL(p(y|x) || p(y))``: 1 for images that tell nothing apart, K for K classes, sure and even.

    Args:
        probabilities: N x K, each row summing to 1, the images in random order.
        splits: parts of which each is scored on its own.

    Returns:
        Mean and standard deviation over the parts.

    Raises:
        UsageError: fewer images than parts.
    """
    if len(probabilities) < splits:
        raise UsageError(f"{len(probabilities)} images are too few for a score; it needs {splits}")
    scores = []
    for part in np.array_split(probabilities.astype(np.float64), splits):
        tiny = np.finfo(np.float64).tiny  # 0 log 0 = 0
        divergence = part * (np.log(part + tiny) - np.log(part.mean(0) + tiny))
        scores.append(np.exp(divergence.sum(1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
