"""Pixels and files; numpy, OpenCV and Pillow only."""
