"""A run as a folder: begin one, go on with it, use what it made.

config.json says what is trained on what; checkpoints/, log.jsonl, tensorboard/ and samples/ come from
the loop; model.safetensors, autoencoder.safetensors and card.md from ``finish``.
"""

import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from imgen import weights
from imgen.data.batch import Source
from imgen.data.items import Batches
from imgen.data.open import open_data
from imgen.engines import ENGINES
from imgen.engines.autoencoder import Autoencoder
from imgen.engines.engine import Engine
from imgen.errors import ModelError, UsageError
from imgen.lookup import find
from imgen.networks.scale import Shape
from imgen.spec import Spec
from imgen.training import checkpoint, distributed
from imgen.training.card import card
from imgen.training.config import TrainConfig
from imgen.training.loop import Trainer
from imgen.training.pictures import grid

MODEL = "model.safetensors"
AUTOENCODER = "autoencoder.safetensors"


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("imgen", "torch")}


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the result, as config.json holds it."""

    engine: str  # a key of ENGINES
    settings: Mapping[str, Any]  # all fields of the engine's Config
    shape: Shape
    data: Mapping[str, Any]  # the keyword arguments of ``open_data``
    train: TrainConfig
    name: str  # of the model that the run makes
    licence: str = "unknown"  # SPDX identifier, under which others may use the weights
    classes: tuple[str, ...] = ()  # names of the labels, where the data have any
    versions: Mapping[str, str] = field(default_factory=_versions)  # that the run was begun with

    def build(self) -> Engine:
        """The engine, with the random numbers of the seed."""
        torch.manual_seed(self.train.seed)
        engine = find(ENGINES, self.engine, "engine").build(self.shape, configure(self.engine, self.settings))
        engine.check(self.train.steps)
        return engine


def read(folder: Path) -> RunConfig:
    """What a run is, from its config.json; no weights are read.

    Raises:
        ModelError: there is none, or it is not of a run of an engine.
    """
    path = folder / "config.json"
    try:
        values = json.loads(path.read_text())
        values["shape"], values["train"] = Shape(**values["shape"]), TrainConfig(**values["train"])
        return RunConfig(**values | {"classes": tuple(values["classes"])})
    except OSError as error:
        raise ModelError(f"{folder} is not the folder of a run: {path.name} is missing") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: not the configuration of an engine's run ({error})") from error


def create(
    folder: Path,
    *,
    engine: str,
    data: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    train: TrainConfig | None = None,
    device: str = "cpu",
    name: str | None = None,
    licence: str = "unknown",
) -> Trainer:
    """Begin a run: a trainer, ready to ``run()``.

    Args:
        folder: of the run; it must not hold one.
        engine: a key of ``imgen.engines.ENGINES``.
        data: keyword arguments of ``imgen.data.open.open_data``, without rank and world.
        settings: fields of the engine's Config that are not to have their default.
        train: numbers of the loop; of None the defaults.
        device: as torch names it.
        name: of the model that the run makes; None takes the folder's.
        licence: SPDX identifier, under which others may use the weights.

    Raises:
        ImgenError: an unknown engine or setting, data that cannot be used, or a folder in use.
    """
    if checkpoint.path_in(folder).exists():
        raise UsageError(f"{folder} holds a run already; resume it, or choose another folder")
    config = configure(engine, settings or {})
    device = distributed.start(device)  # before the data: they ask which process this is
    source = _source(data)
    plan = RunConfig(
        engine,
        asdict(config),
        source.shape,
        dict(data),
        train or TrainConfig(),
        name or folder.resolve().name,
        licence,
        tuple(source.items.classes) if isinstance(source, Batches) else (),
    )
    trainer = _trainer(folder, plan, source, device)
    if distributed.rank() == 0:
        _write(folder, plan)
    return trainer


def configure(engine: str, settings: Mapping[str, Any]) -> Any:
    """The Config of an engine, with some fields set.

    Raises:
        UsageError: no such engine or field, or a value that is not of its kind.
    """
    cls = find(ENGINES, engine, "engine").Config
    kinds = {f.name: type(f.default) for f in fields(cls)}
    for name, value in settings.items():
        kind = find(kinds, name, f"setting of {engine}")
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise UsageError(f"{name} of {engine} is of type {kind.__name__}, got {value!r}")
    return cls(**settings)


def resume(folder: Path, device: str = "cpu", steps: int | None = None) -> Trainer:
    """Go on with a run from its last checkpoint; ``steps`` makes it longer or shorter.

    Raises:
        ImgenError: there is none, it does not fit, or its data are gone.
    """
    plan = read(folder)
    if steps is not None:
        plan = replace(plan, train=replace(plan.train, steps=steps))
    device = distributed.start(device)
    trainer = _trainer(folder, plan, _source(plan.data), device)
    trainer.resume()
    if distributed.rank() == 0:
        _write(folder, plan)
    return trainer


def load(folder: Path, device: str = "cpu") -> Engine:
    """The averaged engine of a run's last checkpoint, in evaluation mode.

    Raises:
        ModelError: the folder holds no run, or nothing is saved yet.
    """
    with torch.random.fork_rng([]):  # building draws weights, which are replaced: no business of the caller's
        engine = read(folder).build()
    state = checkpoint.load(folder)["average"]
    checkpoint.check_fit(engine.state_dict(), state, folder)
    engine.load_state_dict(state)
    return engine.to(device).eval().requires_grad_(False)


def finish(folder: Path) -> Path:
    """Write the averaged product as model.safetensors, the file it gives, and card.md beside it.

    Where an encoder and a decoder are told the class, both in one network go into autoencoder.safetensors.
    """
    path = folder / MODEL
    if distributed.rank() == 0:
        plan, engine = read(folder), load(folder)
        spec = describe(plan, engine)
        weights.save(engine.product, path, spec)
        about = inspect.getdoc(inspect.getmodule(type(engine))) or ""
        (folder / "card.md").write_text(card(spec, about, asdict(plan)))
        whole = engine.whole if isinstance(engine, Autoencoder) else None
        if whole is not None:
            named = replace(
                spec, name=f"{spec.name}-autoencoder", task="reconstruct", inputs=("image", "label"), code=0, prior=""
            )
            weights.save(whole, folder / AUTOENCODER, named)
    return path


def describe(plan: RunConfig, engine: Engine) -> Spec:
    """The product's contract: a generator where the method has a code, otherwise a classifier."""
    generates = hasattr(engine.config, "code")
    classes = getattr(engine.product.config, "classes", 0) if generates else plan.shape.classes
    inputs = ("code", "label") if classes else ("code",)
    return Spec(
        name=plan.name,
        task="generate" if generates else "classify",
        licence=plan.licence,
        inputs=inputs if generates else ("image",),
        size=plan.shape.size,
        code=engine.config.code if generates else 0,
        prior="normal" if generates and type(engine).prior is Engine.prior else "",
        classes=classes,
        class_names=plan.classes if classes else (),
        recipe=f"imgen train {plan.engine} --steps {plan.train.steps} --seed {plan.train.seed}",
        data=", ".join(Path(name).name for name in plan.data["names"]),
    )


def _write(folder: Path, plan: RunConfig) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(plan), indent=2) + "\n")


def _source(data: Mapping[str, Any]) -> Source:
    return open_data(**data, rank=distributed.rank(), world=distributed.world())


def _trainer(folder: Path, plan: RunConfig, source: Source, device: str) -> Trainer:
    """The run's picture is of always the same images: the first batch."""
    picture = partial(grid, shown=source.batch(0), classes=plan.shape.classes)
    return Trainer(plan.build(), source, plan.train, folder, device=device, picture=picture)
