"""Line drawings of photographs: dark lines on white, as a pencil makes them."""

import cv2
import numpy as np
from numpy.typing import NDArray

_BLUR = (0.006, 0.02)  # of the shorter side: from where hair and leaves are drawn to where only shapes are
_SHARE = (0.04, 0.12)  # of the pixels that are steep enough for a line to begin
_WEAKER = 0.4  # times as steep, and a line ends


def outlines(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A drawing of an image, H x W x 3: black lines, one to two pixels wide, on white.

    The lines are where Canny 1986, "A Computational Approach to Edge Detection", finds edges; how much is drawn
    is a matter of the artist, as people differ in it.

    Args:
        image: H x W x 3, RGB.
        rng: the artist.
    """
    blur = min(image.shape[:2]) * np.exp(rng.uniform(*np.log(_BLUR)))
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), float(blur))
    across, down = (cv2.Sobel(grey, cv2.CV_16S, dx, 1 - dx) for dx in (1, 0))
    begin = max(1.0, float(np.quantile(np.hypot(across, down), 1 - rng.uniform(*_SHARE))))
    lines = cv2.Canny(across, down, _WEAKER * begin, begin, L2gradient=True)
    if rng.random() < 0.5:
        lines = cv2.dilate(lines, np.ones((2, 2), np.uint8))
    return np.repeat(255 - np.asarray(lines, np.uint8)[..., None], 3, axis=2)
