"""Functions of tensors, each to be minimised: two-player losses, divergences, likelihoods, matching; no networks."""
