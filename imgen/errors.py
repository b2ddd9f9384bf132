"""What can go wrong, by the exit code it leads to.

Every message is one line: what is wrong, which value, what to do about it.
"""


class ImgenError(Exception):
    """Anything a caller can put right; the command line prints it without a traceback."""

    exit_code = 1


class ImageError(ImgenError):
    """An image that cannot be read, processed or written; in a batch, only this file fails."""


class UsageError(ImgenError):
    """Arguments that make no sense together, or a value outside its range."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that is in no table; the message lists or suggests the names there are."""


class ModelError(ImgenError):
    """A model file that is missing, corrupt, refused, or made for another task."""

    exit_code = 3


class DeviceError(ImgenError):
    """A device that was asked for and is not available; imgen never falls back silently."""

    exit_code = 4
