"""How close two images are: plain functions on numpy arrays."""

from imgen.metrics.psnr import psnr
from imgen.metrics.ssim import ssim

__all__ = ["psnr", "ssim"]
