"""New pictures by a trained generator: codes drawn from its prior, and the class that is asked for."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from imgen.errors import ModelError
from imgen.runtime import Model
from imgen_apps.pipeline import Pipeline

NORMAL = "normal"
"""The prior that codes can be drawn from here, as models call it: standard normal."""
BATCH = 64
"""Pictures made at a time."""


class Generation(Pipeline):
    """Make new pictures.

    >>> make = Generation(imgen.load_model("fruit"))  # doctest: +SKIP
    >>> next(make(np.full(16, make.model.spec.class_names.index("Lemon")))).shape  # doctest: +SKIP
    (16, 3, 64, 64)

    Args:
        model: of task "generate".

    Raises:
        ModelError: the model was made for another task, is not an ``.onnx`` file, or draws its codes from another
            distribution than the standard normal one.
    """

    task: ClassVar[str] = "generate"

    def __init__(self, model: Model):
        super().__init__(model)
        if model.provider == "torch":  # as it was trained, with values in a range of its own
            raise ModelError(f"{model.spec.name}: export it to .onnx first, or name the folder of its run")
        if model.spec.prior != NORMAL:
            raise ModelError(f"{model.spec.name} does not say that its codes are normal; name the folder of its run")

    def __call__(self, labels: npt.NDArray[np.int64], *, seed: int = 0) -> Iterator[npt.NDArray[np.float32]]:
        """Make a picture for each label, some at a time.

        Args:
            labels: N, the numbers of classes; of a model without classes only their count matters.
            seed: decides the codes; the first pictures of many are those of few.

        Yields:
            N x C x H x W in 0..1; of a model of points N x D.
        """
        spec, rng = self.model.spec, np.random.default_rng(seed)
        for start in range(0, len(labels), BATCH):
            part = labels[start : start + BATCH].astype(np.int64)
            code = rng.standard_normal((len(part), spec.code), np.float32)
            feed = {"code": code, "label": part} if spec.classes else {"code": code}
            yield self.model.named(**feed)["result"]
