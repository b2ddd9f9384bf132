"""What a model file says of itself: one JSON object, the same in .onnx and .safetensors files.

It is stored under the key ``imgen`` of an ONNX file's ``metadata_props`` and of a safetensors
header, so a reader needs neither torch nor onnx to know what it holds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from imgen.errors import ModelError

KEY = "imgen"
FORMAT = 1

_TUPLES = ("inputs", "outputs", "fixed", "class_names", "palette", "styles")  # which JSON has as lists


@dataclass(frozen=True)
class Spec:
    """The contract of a model file; pixels are RGB, NCHW, float32, 0..1, and masks are 1 where to fill."""

    name: str
    task: str  # "inpaint", "upscale", ...: the pipeline that runs it
    licence: str  # SPDX identifier of the weights
    inputs: tuple[str, ...] = ("image",)  # in the order the graph takes them
    outputs: tuple[str, ...] = ("result",)  # in the order the graph gives them
    version: str = "1"
    graph: str = "core"  # "core": float NCHW; "embed": uint8 NHWC with everything inside
    precision: str = "fp32"
    scale: int = 1  # output pixels per input pixel, each way
    multiple: int = 1  # height and width must be divisible by this
    fixed: tuple[int, ...] = ()  # batch, height and width, of a graph that takes no others; of some the batch alone
    size: int = 512  # long side, in pixels, that the network was made for; 0 where it makes vectors
    code: int = 0  # of a generator: values in the code that it takes
    prior: str = ""  # that its codes are drawn from: "normal", of mean 0 and variance 1; "": in a way of its own
    classes: int = 0  # of a generator: labels are below this; 0 where it takes none
    class_names: tuple[str, ...] = ()  # of those, where they have any
    receptive_field: str = "global"  # "finite": exact tiles; "normalised": so, given statistics; "global": no tiles
    radius: int = 0  # of a receptive field that is not global, in input pixels
    palette: tuple[str, ...] = ()  # of a network that takes label maps: its classes, "128 64 128 road" or "road"
    boundaries: bool = False  # of such a network: after the classes it takes where things end
    styles: tuple[Sequence[Sequence[float]], ...] = ()  # and then features: for each class those to choose from
    noise: Mapping[str, float] = field(default_factory=dict)  # of a network that takes any: channels, stride, dropout
    face: Mapping[str, Any] = field(default_factory=dict)  # of a network that edits faces, see imgen_apps.face_model
    recipe: str = ""  # how it was trained
    data: str = ""  # what it was trained on
    network: str = ""  # a name in imgen.networks.NETWORKS (safetensors only)
    config: Mapping[str, Any] = field(default_factory=dict)  # of that network
    metrics: Mapping[str, float] = field(default_factory=dict)  # as measured after training
    parity: Mapping[str, Any] = field(default_factory=dict)  # ONNX against torch: worst difference, sizes
    weights_sha256: str = ""  # of the .safetensors file that an .onnx file was exported from

    def to_json(self) -> str:
        """The string to store under ``KEY``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        """Read what ``to_json`` wrote; ``where`` names the file in errors.

        Raises:
            ModelError: not JSON, another format number, or a field missing. Unknown fields of a
                newer imgen are ignored: they never change what the known ones mean.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ModelError(f"{where}: its description is not JSON ({error}); export the model again") from error
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            found = values.get("format") if isinstance(values, dict) else type(values).__name__
            raise ModelError(f"{where}: format {found!r}, this imgen reads {FORMAT}; update imgen or export again")
        known = {f.name for f in fields(cls)}
        chosen = {key: value for key, value in values.items() if key in known}
        try:
            lists: dict[str, Any] = {key: tuple(chosen[key]) for key in _TUPLES if key in chosen}
            spec = cls(**(chosen | lists))
        except TypeError as error:
            raise ModelError(f"{where}: incomplete description ({error}); export the model again") from error
        return spec
