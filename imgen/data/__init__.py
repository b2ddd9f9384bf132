"""Where batches come from: folders of photographs, drawn masks; each batch a pure function of seed and step."""
