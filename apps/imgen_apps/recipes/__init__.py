"""How each built-in model is trained: one file each."""
