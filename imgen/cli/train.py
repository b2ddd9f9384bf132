"""imgen train: a network of one's own, from one's own images."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgen.cli.runs import need_torch
from imgen.cli.settings import split, values_for
from imgen.errors import UsageError

if TYPE_CHECKING:
    from imgen.training.loop import Trainer
    from imgen_apps.recipes.recipe import Recipe

EPILOG = (
    "Examples:  imgen train vae --data photos/ --out runs/vae    "
    "imgen train wgan-gp --data photos/ --size 32 --steps 50000 --set width=32    "
    "imgen train vae --out runs/vae --resume"
)
METHODS = (
    "aae, aegan, ali, autoencoder, bigan, classifier, conditional-gan, conditional-vae, cvae-gan, dcgan, gan, infogan, "
    "lsgan, memoriser, vae, vae-gan, wae-gan, wae-mmd, wgan, wgan-gp; or inpainting, inpainting-refine, upscaling-x2, "
    "upscaling-x3, upscaling-x4, upscaling-x4-finish, upscaling-photo-x2, upscaling-photo-x4, upscaling-gan-x4, "
    "srresnet, srgan, deraining, deraining-find, deraining-paint, deraining-refine, deraining-gan, deraining-paper, "
    "pix2pix, pix2pixhd, pix2pixhd-fine, cyclegan, labels2street, labels2street-hd, edges2photo, apple2orange, "
    "apple2orange-refine, day2dusk, face-detection, face-identity, faces, ip-gan"
)
BATCH = 64
MODEL = "model.safetensors"
LOOP = "train."
"""Before the names of the loop's settings, which may be called as the method's are."""


def train(
    method: Annotated[str, typer.Argument(help=METHODS + ".")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder of images (sub-folders are classes), .csv table, idx file, or toy:ring, toy:shapes, ...; "
            "several folders: give it several times. Of a translation: two folders, or one with trainA and trainB, or "
            "one of pairs side by side."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run.", show_default="runs/ and the method's name")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=1, help="Side of the images, a power of two.", show_default="64; of idx files 32; of a recipe its own"
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Length of the run.", show_default="20000; of a recipe its own")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Images a step.", show_default=f"{BATCH}; of a recipe its own")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Equal seeds give equal runs.", show_default="0")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A setting of the method (width=32, code=16, ...), or of the loop: train.ema=0.99.",
        ),
    ] = None,
    column: Annotated[str | None, typer.Option(help="Of a .csv table: whose values are the classes.")] = None,
    channels: Annotated[int | None, typer.Option(help="1 grey, 3 colour.", show_default="what the images have")] = None,
    augment: Annotated[
        list[str] | None, typer.Option(help="flip, crop, turn or light; give it several times for several.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that read images.", show_default="0")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    precision: Annotated[
        str | None, typer.Option(help="fp32, or bf16 where the processor has it.", show_default="fp32")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The model's name in its file.", show_default="the folder's")] = None,
    licence: Annotated[
        str | None, typer.Option(help="SPDX name under which the weights may be used.", show_default="unknown")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(help="Of a recipe: begin with the networks of a run's folder or of a .safetensors file."),
    ] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="Of upscaling-photo: a larger network to learn from, .pth or .safetensors.")
    ] = None,
    pairs: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="DIRTY CLEAN",
            help="Of deraining, in place of --data: a folder of photographs of what is to be removed, and one of the "
            "same without it, by the same names.",
        ),
    ] = None,
    direction: Annotated[str | None, typer.Option(help="Of a translation: AtoB or BtoA.", show_default="AtoB")] = None,
    labels: Annotated[
        str | None,
        typer.Option(help="Of pix2pix and pix2pixhd: how many classes label maps have, or a file with their colours."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint, exactly.")] = False,
) -> None:
    """Train a model: a run in a folder, which can be stopped and resumed, and a .safetensors file at its end."""
    need_torch("training")
    from imgen.cli.devices import torch_device
    from imgen.engines import ENGINES
    from imgen.lookup import find
    from imgen.training import checkpoint, distributed
    from imgen_apps.recipes import RECIPES

    find({**ENGINES, **RECIPES}, method, "method")
    folder = out or Path("runs") / method
    if checkpoint.path_in(folder).exists() and not resume:
        raise UsageError(f"{folder} holds a run already; give --resume to go on with it, or another --out")
    if data and pairs:
        raise UsageError("--data and --pairs are two things to learn from; give one of them")
    if not data and not pairs and (not resume or method in RECIPES):
        raise UsageError(f"give --data: a folder of images to train {method} on")
    sets = {"names": data, "size": size, "batch": batch, "channels": channels, "column": column, "augment": augment}
    loop = _given({"steps": steps, "precision": precision, "seed": seed, "workers": workers})
    about = _given({"name": name, "licence": licence})
    place, recipe = torch_device(device), RECIPES.get(method)
    if recipe is None:
        options = {"start": start, "teacher": teacher, "pairs": pairs, "direction": direction, "labels": labels}
        of_recipes = _given(options)
        if of_recipes:
            option = next(iter(of_recipes))
            raise UsageError(f"--{option} is for recipes; {method} goes on with a run of its own by --resume")
        texts = split(settings or [])
        trainer = begin(method, folder, place, _given(sets), loop, texts, about=about, resume=resume)
    else:
        foreign = _given({"channels": channels, "column": column, "augment": augment, "set": settings})
        if foreign:
            raise UsageError(f"--{next(iter(foreign))} is not for {method}, whose numbers are in its recipe")
        recipe = recipe if batch is None else recipe.with_batch(batch)
        recipe = recipe if size is None else recipe.with_size(size)
        recipe = recipe if direction is None else recipe.with_direction(direction)
        recipe = recipe if labels is None else recipe.with_labels(labels)
        recipe = recipe if teacher is None else recipe.with_teacher(teacher)
        recipe = recipe if pairs is None else recipe.with_pairs(*pairs)
        trainer = _of_recipe(recipe, folder, place, data or [], loop, start, resume)
    try:
        trainer.run()
    except KeyboardInterrupt:
        if distributed.rank() == 0:
            typer.echo(f"stopped at step {trainer.step}; the same command with --resume goes on from there", err=True)
        raise
    if distributed.rank() == 0:
        learnt_from = data or [str(path) for path in pairs or ()]
        then = (
            _finish(folder, trainer)
            if recipe is None
            else _finish_recipe(method, recipe, folder, trainer, learnt_from, about)
        )
        typer.echo(f"{folder / MODEL}: {trainer.step} steps; try it: {then}")


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were given."""
    return {key: value for key, value in options.items() if value not in (None, [])}


def parsed(method: str, settings: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name to text, as values of the method's config and, of what stands behind ``train.``, of the loop's.

    Raises:
        UsageError: no such setting, or no value of its type.
    """
    from imgen.engines import ENGINES
    from imgen.training.config import TrainConfig

    of_loop = {name.removeprefix(LOOP): text for name, text in settings.items() if name.startswith(LOOP)}
    of_method = {name: text for name, text in settings.items() if not name.startswith(LOOP)}
    return values_for(ENGINES[method].Config, of_method, method), values_for(TrainConfig, of_loop, "train")


def begin(
    method: str,
    folder: Path,
    device: str,
    data: Mapping[str, Any],
    loop: Mapping[str, Any],
    settings: Mapping[str, str],
    *,
    about: Mapping[str, str],
    resume: bool,
) -> "Trainer":
    """Begin a run, or go on with one that was begun with the same options.

    Args:
        method: a key of ``ENGINES``.
        folder: of the run.
        device: as torch names it.
        data: options of ``open_data`` that were given.
        loop: fields of ``TrainConfig`` that were given.
        settings: name to text: of the method's config, and behind ``train.`` of ``TrainConfig``.
        about: name and licence of the model, where given.
        resume: go on.

    Raises:
        ImgenError: an option makes no sense, or differs from what the run was begun with.
    """
    from imgen.training import run
    from imgen.training.config import TrainConfig

    own, of_loop = parsed(method, settings)
    train = {**loop, **of_loop}
    if not resume:
        sets = {"batch": BATCH, "seed": train.get("seed", 0), **data}
        config = TrainConfig(**train)
        return run.create(folder, engine=method, data=sets, settings=own, train=config, device=device, **about)
    plan = run.read(folder)
    shape = {"size": plan.shape.size, "channels": plan.shape.channels}
    for asked, begun in (
        ({"method": method, **about}, {"method": plan.engine, **vars(plan)}),
        (own, plan.settings),
        (train, {**vars(plan.train), "steps": train.get("steps")}),  # a run may become longer
        (data, {**plan.data, **shape}),
    ):
        for what, value in asked.items():
            if begun.get(what) != value:
                there = f"{folder} was begun with {what} {begun.get(what)}"
                raise UsageError(f"{there}, not {value}; leave it out, or begin another run with --out")
    return run.resume(folder, device, train.get("steps"))


def _of_recipe(
    recipe: "Recipe",
    folder: Path,
    device: str,
    data: list[str],
    loop: Mapping[str, Any],
    start: Path | None,
    resume: bool,
) -> "Trainer":
    recipe = replace(recipe, train=replace(recipe.train, **loop))
    trainer = recipe.trainer([Path(name) for name in data], folder, device, start)
    if resume:
        trainer.resume()
    return trainer


def _finish(folder: Path, trainer: "Trainer") -> str:
    """Write the model file of a method's run; what can be done with it."""
    from imgen.training import run

    run.finish(folder)
    makes = hasattr(trainer.engine.config, "code")
    return f"imgen sample {folder}" if makes else f"imgen evaluate A B --features {folder / MODEL}"


def _finish_recipe(
    method: str, recipe: "Recipe", folder: Path, trainer: "Trainer", data: list[str], about: Mapping[str, str]
) -> str:
    """Write the model files of a recipe's run; what can be done with the first."""
    from imgen import weights

    for file, (network, spec) in recipe.models(trainer.average.engine, trainer.source).items():
        described = replace(
            spec,
            name=about.get("name", spec.name) + file.removeprefix("model"),
            licence=about.get("licence", spec.licence),
            recipe=f"imgen train {method} --steps {trainer.config.steps} --seed {trainer.config.seed}",
            data=", ".join(Path(name).name for name in data),
        )
        weights.save(network, folder / f"{file}.safetensors", described)
    return f"{recipe.USE} {folder / MODEL}"
