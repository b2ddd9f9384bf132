"""imgen run: any model file on images, by the verb of its task."""

from pathlib import Path
from typing import Annotated, Any

import typer

SETTINGS = {"allow_extra_args": True, "allow_interspersed_args": False}
"""With which all words behind the model are left to the verb."""

VERBS = {
    "inpaint": "inpaint",
    "reconstruct": "inpaint",
    "upscale": "upscale",
    "derain": "derain",
    "translate": "translate",
    "face": "face",
}
"""By the task of a model."""


def run(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="MODEL INPUT...", help="An .onnx file or a name (imgen models list); then images.")
    ],
) -> None:
    """Run any model on images. What follows the model is as of the verb of its task, options too.

    A file of others needs a model.json beside model.onnx that says its task (docs/embedding.md); an upscaler does not.

    \b
    imgen run model.onnx photos/ --output results/
    imgen run inpaint.onnx photo.jpg --mask mask.png
    imgen run model.onnx --help
    """
    verb: Any = context.find_root().command
    words, command = list(context.args), ""
    while hasattr(verb, "commands"):  # a group, as imgen itself
        command = _of_group(model, verb.commands, words) if command else VERBS[_task(model)]
        verb = verb.commands[command]
    with verb.make_context(command, ["--model", model, *words], parent=context.parent) as called:
        verb.invoke(called)


def _of_group(model: str, commands: dict[str, Any], words: list[str]) -> str:
    """Which verb of a group is meant; it is taken off the words.

    Raises:
        UsageError: none of them is named.
    """
    from imgen.errors import UsageError

    if not words or words[0] not in commands:
        raise UsageError(f"{model} does more than one thing; name it behind the model: {', '.join(commands)}")
    return words.pop(0)


def _task(model: str) -> str:
    """What a model is for.

    Raises:
        ModelError: it is missing, refused, or for nothing that imgen does to images.
    """
    from imgen.errors import ModelError
    from imgen.runtime import onnxfile
    from imgen.runtime.catalogue import entries

    path = Path(model)
    if model in entries() and not path.is_file():
        task = entries()[model].task
    else:
        if path.suffix.lower() != ".onnx":
            raise ModelError(f"{model}: neither a name that imgen models list shows nor an .onnx file; export it first")
        spec = onnxfile.read(path)[1]
        task = spec.task if spec else "upscale"  # which needs no description, and is found out by the verb
    if task not in VERBS:
        raise ModelError(f"{model}: made for {task!r}; imgen run knows {', '.join(VERBS)}")
    return task
