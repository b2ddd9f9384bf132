"""imgen: an image-processing toolkit for GAN applications."""

__version__ = "0.1.0"
