"""imgen train: a network of one's own, from one's own photographs."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

EPILOG = (
    "Examples:  imgen train inpainting --data photos/ --out runs/mine    "
    "imgen train inpainting --data photos/ --out runs/mine --resume"
)


def train(
    recipe: Annotated[str, typer.Argument(help="inpainting, or inpainting-refine: a short run that sharpens another.")],
    data: Annotated[list[Path], typer.Option(help="Folder of photographs; give it several times for several.")],
    out: Annotated[Path, typer.Option(help="Folder of the run: checkpoint, log, pictures, model.")],
    steps: Annotated[int | None, typer.Option(min=1, help="Length of the run.", show_default="the recipe's")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    precision: Annotated[str, typer.Option(help="fp32, or bf16 where the processor has it.")] = "fp32",
    batch: Annotated[int, typer.Option(min=1, help="Multiply the recipe's batch by this; a GPU wants 8 or more.")] = 1,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal runs.")] = 0,
    name: Annotated[str, typer.Option(help="The model's name in its file.")] = "inpaint-mine",
    licence: Annotated[str, typer.Option(help="SPDX name under which the weights may be used.")] = "unknown",
    start: Annotated[
        Path | None, typer.Option(help="Begin with the networks of a run's folder or of a .safetensors file.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's checkpoint, exactly.")] = False,
) -> None:
    """Train a model and write it as .safetensors, ready for `imgen inpaint --model` and `imgen export`."""
    from imgen.errors import UsageError

    if (out / "checkpoint.pt").exists() and not resume:
        raise UsageError(f"{out} holds a run already; give --resume to go on with it, or another --out")
    try:
        import torch

        from imgen_apps.recipes import inpainting
    except ImportError as error:
        raise UsageError(f'training needs torch ({error}); pip install "imgen[train]"') from error
    from imgen.lookup import find
    from imgen.networks.inpainter import Inpainter
    from imgen.spec import Spec

    chosen = find(inpainting.RECIPES, recipe, "recipe")
    settings = replace(chosen.train, steps=steps or chosen.train.steps, precision=precision, seed=seed)
    config = replace(chosen, train=settings, batch_factor=batch)
    trainer = inpainting.trainer(data, out, config, _device(device, torch), start)
    if resume:
        trainer.resume()
    try:
        trainer.run()
    except KeyboardInterrupt:
        typer.echo(f"stopped at step {trainer.step}; the same command with --resume goes on from there", err=True)
        raise
    spec = Spec(
        name=name,
        task="inpaint",
        licence=licence,
        inputs=Inpainter.INPUTS,
        multiple=Inpainter.MULTIPLE,
        recipe=f"imgen train {recipe} --steps {settings.steps} --batch {batch} --seed {seed}",
        data=", ".join(folder.name for folder in data),
    )
    model = out / "model.safetensors"
    inpainting.finish(trainer, model, spec)
    typer.echo(f"{model}: {trainer.step} steps; try it: imgen inpaint photo.png --mask mask.png --model {model}")


def _device(asked: str, torch: object) -> str:
    """The device that is meant; an unavailable one is an error, never another device."""
    from imgen.errors import DeviceError

    available = torch.cuda.is_available()  # type: ignore[attr-defined]
    if asked == "auto":
        return "cuda" if available else "cpu"
    if asked.startswith("cuda") and not available:
        raise DeviceError(f"torch finds no CUDA device for --device {asked}; take --device cpu or install a driver")
    return asked
