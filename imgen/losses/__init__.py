"""Pure functions of tensors: adversarial pairs, matching, reconstruction; no state, no networks."""
