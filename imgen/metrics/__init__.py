"""How good images are: pair by pair, or one set against another; plain functions on numpy arrays.

PSNR and SSIM are imgen's own few lines on numpy and OpenCV, so that a finished model can be measured without
torch; a test holds them to those of kornia.
"""

from imgen.metrics.active_units import active_units
from imgen.metrics.coverage import coverage
from imgen.metrics.features import describe, open_extractor
from imgen.metrics.frechet import frechet
from imgen.metrics.kernel import kernel_distance
from imgen.metrics.luma import luma
from imgen.metrics.modes import modes
from imgen.metrics.psnr import psnr
from imgen.metrics.reconstruction import reconstruction
from imgen.metrics.score import score
from imgen.metrics.sets import compare_sets
from imgen.metrics.ssim import ssim

__all__ = [
    "active_units",
    "compare_sets",
    "coverage",
    "describe",
    "frechet",
    "kernel_distance",
    "luma",
    "modes",
    "open_extractor",
    "psnr",
    "reconstruction",
    "score",
    "ssim",
]
