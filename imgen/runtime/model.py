"""A trained model, whatever runs it."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgen.errors import ModelError, UsageError
from imgen.spec import Spec

Array = NDArray[np.float32]

Statistics = list[Array]
"""By which a network normalises: means and variances, 2 x C, C of one norm or of several."""


class Model:
    """A network that is ready to run; calls may come from several threads at once.

    Attributes:
        spec: what the model file says of itself.
        device: where it really runs, such as "cpu" or "cuda:0".
        provider: what really runs it, such as "CPUExecutionProvider", "OpenVINO" or "torch".
    """

    def __init__(self, spec: Spec, device: str, provider: str) -> None:
        self.spec = spec
        self.device = device
        self.provider = provider

    def __call__(self, *inputs: Array) -> Array:
        """Run the network once.

        Args:
            inputs: in the order of ``spec.inputs``, each float32 N x C x H x W in 0..1, of one batch
                and size, H and W divisible by ``spec.multiple``. Masks are 1 where to fill. Noise has its own
                size, by ``spec.noise``.

        Returns:
            float32, N x C x scale*H x scale*W, about 0..1 (not clipped); of several outputs
            (``spec.outputs``) the channels, one output after the other.

        Raises:
            UsageError: inputs that do not fit the above.
            ModelError: the network cannot take them all the same.
            MemoryError: it needs more memory than the device has; use a smaller size.
        """
        self._check(inputs)
        with self._explained(inputs[0]):
            result = self._run(inputs)
        self._check_result(result, inputs[0])
        return result

    def named(self, **inputs: NDArray[Any]) -> dict[str, Array]:
        """Run a network whose inputs and outputs are not all images of one size.

        Args:
            inputs: float32, by the names of ``spec.inputs``; a generator's labels int64.

        Returns:
            By the names of ``spec.outputs``.

        Raises:
            UsageError: other names.
            ModelError: the network cannot take them.
            MemoryError: as of a call.
        """
        if set(inputs) != set(self.spec.inputs):
            raise UsageError(f"{self.spec.name} takes {', '.join(self.spec.inputs)}, not {', '.join(inputs)}")
        given = tuple(inputs[name] for name in self.spec.inputs)
        with self._explained(given[0]):
            return dict(zip(self.spec.outputs, self._run_named(given), strict=True))

    def statistics(self, images: Array) -> Statistics:
        """By which a network whose ``spec.receptive_field`` is "normalised" would normalise if images were one.

        Args:
            images: its only input, N x C x H x W, otherwise as in a call.

        Returns:
            The statistics of what each norm is given, over all of the batch.

        Raises:
            ModelError: the network is of another kind; and all that a call raises.
        """
        self._check_normalised(images)
        with self._explained(images):
            return self._run_statistics(images)

    def normalised(self, image: Array, statistics: Statistics) -> Array:
        """Run such a network by statistics that were measured before, in place of the image's own.

        Args:
            image: as for ``statistics``.
            statistics: what that gave.

        Returns:
            As a call.

        Raises:
            ModelError: as of ``statistics``.
        """
        self._check_normalised(image)
        with self._explained(image):
            return self._run_normalised(image, statistics)

    def _check_normalised(self, image: Array) -> None:
        if self.spec.receptive_field != "normalised":
            raise ModelError(f"{self.spec.name} does not say that statistics are all that it sees of the whole image")
        self._check((image,))

    def _run(self, inputs: tuple[Array, ...]) -> Array:
        return joined(self._run_named(inputs))

    def _run_named(self, inputs: tuple[Array, ...]) -> Sequence[Array]:
        """All outputs, each by itself."""
        raise NotImplementedError(f"{type(self).__name__} does not run networks")

    def _run_statistics(self, images: Array) -> Statistics:
        raise NotImplementedError(f"{type(self).__name__} does not tell by which statistics it normalises")

    def _run_normalised(self, image: Array, statistics: Statistics) -> Array:
        raise NotImplementedError(f"{type(self).__name__} normalises by each image's own statistics")

    @contextlib.contextmanager
    def _explained(self, image: Array) -> Iterator[None]:
        """Say what goes wrong inside of an engine, each of which has classes of its own for it."""
        try:
            yield
        except ModelError:
            raise
        except Exception as error:
            reason = one_line(error)
            size = f"{image.shape[3]} x {image.shape[2]} pixels" if image.ndim == 4 else f"{len(image)} codes"
            if isinstance(error, MemoryError) or "alloc" in reason.lower() or "out of memory" in reason.lower():
                raise MemoryError(f"{self.spec.name}: {size} need more memory than {self.device} has") from error
            raise ModelError(f"{self.spec.name}: failed on {size} ({reason}); export the model again") from error

    def _check(self, inputs: tuple[Array, ...]) -> None:
        name, names, multiple = self.spec.name, self.spec.inputs, self.spec.multiple
        if len(inputs) != len(names):
            raise UsageError(f"{name} takes {len(names)} arrays ({', '.join(names)}), not {len(inputs)}")
        pairs = list(zip(names, inputs, strict=True))
        for key, array in pairs:
            if array.ndim != 4 or array.dtype != np.float32:
                raise UsageError(f"{name}: {key} must be float32 of 4 axes (NCHW), not {array.dtype} {array.shape}")
        batch, _, height, width = inputs[0].shape
        if any(array.shape != (batch, array.shape[1], *self._size(key, height, width)) for key, array in pairs):
            raise UsageError(f"{name}: the inputs differ in batch or size: {', '.join(str(a.shape) for a in inputs)}")
        if height % multiple or width % multiple or not height * width:
            raise UsageError(f"{name}: {width} x {height} pixels, but both must be multiples of {multiple}; pad first")

    def _check_result(self, result: Array, image: Array) -> None:
        """Refuse a result of another size than the file says; a detector's places are further apart than pixels."""
        batch, _, height, width = image.shape
        wanted = height * self.spec.scale, width * self.spec.scale
        if self.spec.task != "detect-face" and (result.shape[:1] != (batch,) or result.shape[2:] != wanted):
            raise ModelError(
                f"{self.spec.name}: makes {' x '.join(map(str, result.shape))} of {' x '.join(map(str, image.shape))}, "
                f"but says that its scale is {self.spec.scale}; mend its description, or export it again"
            )

    def _size(self, key: str, height: int, width: int) -> tuple[int, int]:
        """The height and width of an input, where the first has these."""
        stride = int(self.spec.noise["stride"]) if key == "noise" else 1
        return height // stride, width // stride


def joined(outputs: Sequence[Array]) -> Array:
    """The channels of all outputs of a network, one after the other."""
    return outputs[0] if len(outputs) == 1 else np.concatenate(outputs, axis=1)


def one_line(error: Exception) -> str:
    """An engine's message on one line of bounded length."""
    return " ".join(str(error).split())[:300]
