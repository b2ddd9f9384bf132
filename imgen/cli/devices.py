"""Where torch computes, for the verbs that train and measure."""


def torch_device(asked: str) -> str:
    """The device that ``--device`` means; an unavailable one is an error, never another device.

    Raises:
        DeviceError: there is no such CUDA device.
        UsageError: torch knows no device of that name.
    """
    import torch

    from imgen.errors import DeviceError, UsageError

    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise UsageError(f"--device {asked}: torch knows no such device; take auto, cpu, cuda or cuda:1") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"torch finds {torch.cuda.device_count()} CUDA devices for --device {asked}; take --device cpu or "
            "install a driver"
        )
    return asked
