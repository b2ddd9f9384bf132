"""The command line: one thin file for each group of verbs."""

import atexit
import gc

# What is imported stays to the end. Looking for what could go, every 700 objects and once more before the
# process ends, takes a tenth of the time of a short command.
gc.set_threshold(20_000, 10, 10)
atexit.register(gc.freeze)
