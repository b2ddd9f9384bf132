"""A discriminator that finds the places of a picture that were repaired, and judges by them.

Reference: Qian et al. 2018, "Attentive Generative Adversarial Network for Raindrop Removal from a Single
Image", arXiv:1711.10098, sec. 4.2. Differs: it takes images of any size of at least ``MINIMUM`` squares,
which its dense layers see as an average of 4 x 4 places. (The published layers want 896 x 896 pixels or so.)
"""
