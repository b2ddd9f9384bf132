"""Where the parts of a face lie in an aligned crop: the one frame in which faces are found, cropped and learnt."""

SIDE = 128
"""Pixels, across and down, of the crop that the numbers here are for; those of another size scale with it."""

POINTS = ((45.3, 57.9), (82.5, 57.7), (64.0, 79.2), (48.8, 101.1), (79.5, 101.0))
"""x and y of the left and the right eye, as seen in the picture, the tip of the nose, both corners of the mouth."""

CENTRE = (64.0, 76.0)
"""x and y of the middle of a face, from the middle of its forehead to its chin."""

WIDTH, HEIGHT = 70.0, 88.0
"""Of a face, from ear to ear and from the middle of its forehead to its chin."""
