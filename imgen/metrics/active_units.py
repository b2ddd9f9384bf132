"""How many values of a code are in use."""

import numpy as np
from numpy.typing import NDArray


def active_units(means: NDArray[np.floating], threshold: float = 0.01) -> int:
    """Values of the code whose mean, given the image, varies from image to image.

    Burda et al. 2016, "Importance Weighted Autoencoders", arXiv:1509.00519, sec. 5.2: a unit is active
    where ``Var_x(E[z|x]) > 0.01``.

    Args:
        means: N x Z, the mean of q(z|x) for each image.
        threshold: of the variance.

    >>> active_units(np.array([[1.0, 0.0], [-1.0, 0.05]]))
    1
    """
    return int((means.var(0) > threshold).sum())
