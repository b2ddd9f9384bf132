"""The one loop for every engine: updates, moving average, exact checkpoints, records."""
