"""Where batches come from: images in folders and files, toy sets, drawn masks; each a pure function of its number."""
