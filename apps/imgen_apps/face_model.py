"""A network that tells who a face is from how it looks, in the words of its field.

Its description says in ``face``: ``identity`` and ``attributes``, how many values its codes have; ``directions``, by
name what to add to an attribute code for a change from a clear no to a clear yes; ``frontal``, the attribute code
of a face seen from the front; ``threshold``, the cosine of identity codes from which two pictures count as one person.
It may say ``places``: by name, where a face is on the way from a clear no (0) to a clear yes (1), as the weights of an
attribute code and behind them what is added.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from imgen.errors import ModelError, UsageError
from imgen.lookup import find
from imgen.runtime import Model
from imgen.runtime.model import Array

MOST = 2.0
"""Of a direction that may be added or taken away; beyond, faces fall apart."""

_SAID = ("identity", "attributes", "directions", "frontal", "threshold")


class Codes(NamedTuple):
    """What a network makes of faces."""

    identity: Array  # N x DI: who it is
    attributes: Array  # N x DA: pose, light, expression


class FaceModel:
    """A model of task "face": aligned crops to codes, and codes to crops (``imgen.networks.face_editor``).

    Raises:
        ModelError: its description lacks what faces are edited by.
    """

    def __init__(self, model: Model):
        about, name = model.spec.face, model.spec.name
        missing = [key for key in _SAID if key not in about]
        if missing:
            raise ModelError(f"{name} does not say its {', '.join(missing)}; export it again")
        self.model = model
        self.size = model.spec.size
        self.threshold = float(about["threshold"])
        self.frontal = np.array([about["frontal"]], np.float32)
        self.directions: dict[str, Array] = {
            key: np.array([values], np.float32) for key, values in about["directions"].items()
        }
        self._lengths = int(about["identity"]), int(about["attributes"])
        self._places: dict[str, Array] = {
            key: np.array([values], np.float32) for key, values in about.get("places", {}).items()
        }
        lengths = [code.shape[1:] for code in (self.frontal, *self.directions.values())]
        lengths += [(code.size - 1,) for code in self._places.values()]
        if any(length != self._lengths[1:] for length in lengths):
            raise ModelError(f"{name}: a direction has not the {self._lengths[1]} values of its codes; export it again")

    def encode(self, crops: Array) -> Codes:
        """The codes of faces.

        Args:
            crops: aligned, N x 3 x S x S in 0..1.

        Raises:
            ModelError: the network gave no numbers.
        """
        keep, shift = np.ones((len(crops), 2), np.float32), np.zeros((len(crops), sum(self._lengths)), np.float32)
        made = self._run(crops, keep, shift)
        return Codes(made["identity_code"], made["attribute_code"])

    def decode(self, codes: Codes) -> Array:
        """The faces of codes, N x 3 x S x S in 0..1.

        Raises:
            ModelError: the network gave no numbers.
        """
        shift = np.concatenate(codes, axis=1, dtype=np.float32)
        blank = np.zeros((len(shift), 3, self.size, self.size), np.float32)  # of which nothing is kept
        return self._run(blank, np.zeros((len(shift), 2), np.float32), shift)["result"].clip(0, 1)

    def check(self, amounts: Mapping[str, float]) -> None:
        """Refuse what ``shift`` would.

        Raises:
            UnknownNameError: the model knows no such attribute.
            UsageError: an amount is out of range, or there is none.
        """
        if not amounts:
            raise UsageError(f"say what to change: {', '.join(f'{name}=1' for name in self.directions)}")
        for name, amount in amounts.items():
            find(self.directions, name, "attribute")
            if not -MOST <= amount <= MOST:
                raise UsageError(f"{name} is {amount:g}, but amounts go from {-MOST:g} to {MOST:g}")

    def shift(self, amounts: Mapping[str, float], attributes: Array) -> tuple[Array, float]:
        """What to add to a face's attribute code, and how much of what is asked for that is.

        A face is not made to show what it clearly shows: from the middle between a clear no and a clear yes on, less of
        an amount counts, and nothing at its end. The end of amounts beyond 1 lies as far beyond.

        Args:
            amounts: by the name of an attribute, -2..2: how far from a clear no (0) towards a clear yes (1).
            attributes: the code, 1 x DA.

        Returns:
            1 x DA, and 0..1.

        Raises:
            As ``check``.
        """
        self.check(amounts)
        asked, total = np.zeros_like(self.frontal), np.zeros_like(self.frontal)
        for name, amount in amounts.items():
            step = np.float32(amount) * self.directions[name]
            asked += step
            total += self._share(name, amount, attributes) * step
        return total, float(np.linalg.norm(total) / max(np.linalg.norm(asked), np.finfo(np.float32).tiny))

    def _share(self, name: str, amount: float, attributes: Array) -> np.float32:
        """How much of an amount counts for a face."""
        if name not in self._places:
            return np.float32(1)
        place = float(attributes[0] @ self._places[name][0, :-1] + self._places[name][0, -1])
        left = (place if amount < 0 else 1 - place) + max(0.0, abs(amount) - 1)
        return np.float32(np.clip(2 * left, 0, 1))

    def _run(self, crops: Array, keep: Array, shift: Array) -> Mapping[str, Array]:
        made = self.model.named(identity=crops, attributes=crops, keep=keep, shift=shift)
        if not all(np.isfinite(values).all() for values in made.values()):
            name = self.model.spec.name
            raise ModelError(f"{name} gave values that are no numbers; try --device cpu or another model")
        return made


def between(first: Codes, second: Codes, part: float) -> Codes:
    """The codes of a face on the way from one to another: 0 gives the first, 1 the second.

    An identity is a direction: on the way it keeps the length of those at its ends.
    """
    identity, attributes = (np.float32(1 - part) * a + np.float32(part) * b for a, b in zip(first, second, strict=True))
    length = (1 - part) * _length(first.identity) + part * _length(second.identity)
    gain = length / np.maximum(_length(identity), np.finfo(np.float32).tiny)
    return Codes((identity * gain).astype(np.float32), attributes)


def _length(codes: Array) -> Array:
    """N x 1 of N x D."""
    return np.asarray(np.linalg.norm(codes, axis=1, keepdims=True))
