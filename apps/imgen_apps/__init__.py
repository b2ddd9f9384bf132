"""Application pipelines: a photo in, a photo out, of any size, one or ten thousand."""
