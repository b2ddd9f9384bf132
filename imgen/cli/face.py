"""imgen face: change who a face is or how it looks, and measure whether it stays the same person."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgen.cli import options, work
from imgen.cli.settings import split
from imgen.errors import UsageError

if TYPE_CHECKING:
    from imgen_apps.face_editing import FaceEditing

app = typer.Typer(
    help="Edit faces in photos, and measure how much each stays the same person. Ask first: edit and show pictures of "
    "people only if they agree to it, and pass no edited picture off as a photograph. What is edited says so in its "
    "metadata.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Detector = Annotated[
    str | None,
    typer.Option(
        "--detector", metavar="NAME", help="Name or file of what finds faces (YuNet's, too).", show_default="built in"
    ),
]
IdentityModel = Annotated[
    Path | None,
    typer.Option(
        "--identity-model", metavar="FILE", help="Face recogniser (.onnx) that scores.", show_default="the model"
    ),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option("--box", metavar="X,Y,W,H", help="Where the face is; given twice, of both.", show_default="found"),
]


@dataclasses.dataclass(frozen=True)
class FaceOptions(options.Shared):
    """What all verbs that edit faces in photos are told."""

    face: Annotated[str, typer.Option("--face", metavar="largest|all|N", help="Which; 1 is the largest.")] = "largest"
    box: Annotated[
        str | None,
        typer.Option(
            "--box", metavar="X,Y,W,H", help="Where it is, in pixels, forehead to chin.", show_default="found"
        ),
    ] = None
    detector: Detector = None
    identity_model: IdentityModel = None
    min_identity: Annotated[
        float | None,
        typer.Option("--min-identity", metavar="N", help="Lower the edit until the score is as high, 0..1, or refuse."),
    ] = None
    tag: Annotated[
        bool, typer.Option("--tag/--no-tag", help="Say in the metadata that it was edited, stripped or not.")
    ] = True


@app.command()
@options.with_shared
def swap(
    shared: FaceOptions,
    identity: Annotated[Path, typer.Option("--identity", metavar="PHOTO", help="Whose face it shall be.")],
    identity_box: Annotated[
        str | None,
        typer.Option("--identity-box", metavar="X,Y,W,H", help="Where it is in that photo.", show_default="found"),
    ] = None,
) -> None:
    """Give faces the identity of another photo; pose, light and expression stay.

    \b
    imgen face swap photo.jpg --identity other.jpg
    imgen face swap party.jpg --identity other.jpg --face 2 --min-identity 0.4 -o swapped.jpg
    """
    from imgen_apps.face_batch import Swapping
    from imgen_apps.face_choice import Choice

    choice, of_source = Choice.parse(shared.face, shared.box), Choice.parse("largest", identity_box)
    faces, digests = _open(shared)
    who = faces.face_of(identity, of_source.box)
    stages = Swapping(faces, choice, who=who, source=identity, **_how(shared))
    work.run(stages, shared, name_suffix="-swapped", model=[*digests, of_source.box])


@app.command()
@options.with_shared
def edit(
    shared: FaceOptions,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="NAME=AMOUNT", help="smile=1 and so on, -2..2; several at once.")
    ],
) -> None:
    """Change how faces look: 1 goes from a clear no to a clear yes, -1 the other way.

    \b
    imgen face edit photo.jpg --set smile=1
    imgen face edit photos/ --set smile=-1 --set glasses=0.5 --face all --min-identity 0.5 --output edited/
    """
    from imgen_apps.face_batch import Shifting
    from imgen_apps.face_choice import Choice

    choice = Choice.parse(shared.face, shared.box)
    amounts = {name: _amount(name, text) for name, text in split(settings).items()}
    faces, digests = _open(shared)
    stages = Shifting(faces, choice, amounts=amounts, **_how(shared))
    work.run(stages, shared, name_suffix="-edited", model=digests)


@app.command()
@options.with_shared
def frontalise(shared: FaceOptions) -> None:
    """Make a picture of a face alone, turned to the front.

    \b
    imgen face frontalise photo.jpg
    imgen face frontalise photos/ --face 1 --output fronts/ --format png
    """
    from imgen_apps.face_batch import Frontalising
    from imgen_apps.face_choice import Choice

    choice = Choice.parse(shared.face, shared.box)
    if choice.which == "all":
        raise UsageError("frontalise makes a picture of one face; give --face largest or a number")
    faces, digests = _open(shared)
    work.run(Frontalising(faces, choice, **_how(shared)), shared, name_suffix="-frontal", model=digests)


@app.command()
def morph(
    first: Annotated[Path, typer.Argument(metavar="A", help="Photo to begin with.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Photo to end with.")],
    steps: Annotated[int, typer.Option("--steps", metavar="N", min=2, help="Pictures, both ends included.")] = 9,
    animate: Annotated[bool, typer.Option("--animate", help="An animation instead of a row.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="What to write.", show_default="A-morph.png or .webp"),
    ] = None,
    box: Boxes = None,
    model: options.Model = None,
    detector: Detector = None,
    identity_model: IdentityModel = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    tag: Annotated[bool, typer.Option("--tag/--no-tag", help="Say in the metadata what it is.")] = True,
    overwrite: options.Overwrite = False,
    debug: options.Debug = False,  # noqa: ARG001 - see options
) -> None:
    """Show faces on the way from one to another, in who it is and in how it looks.

    \b
    imgen face morph a.jpg b.jpg --steps 9
    imgen face morph a.jpg b.jpg --animate -o morph.gif
    """
    from imgen.image import file
    from imgen_apps.face_morphing import morphed

    target = output or first.with_name(f"{first.stem}-morph{'.webp' if animate else '.png'}")
    file.format_for(target, None, "PNG")
    if target.exists() and not overwrite:
        raise UsageError(f"the output {target} exists already; --overwrite replaces it")
    faces, _ = _start(model, detector, identity_model, device, threads)
    ends = [faces.face_of(path, where) for path, where in zip((first, second), _both(box), strict=True)]
    picture, scores = morphed(faces, ends[0], ends[1], steps, animate=animate, tag=tag)
    file.write(picture, target)
    for number, (to_first, to_second) in enumerate(scores, 1):
        typer.echo(f"{number}: identity {to_first:.2f} like {first.name}, {to_second:.2f} like {second.name}", err=True)
    typer.echo(f"{first}, {second} -> {target}", err=True)


@app.command()
def similarity(
    first: Annotated[Path, typer.Argument(metavar="A", help="A photo.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    box: Boxes = None,
    model: options.Model = None,
    detector: Detector = None,
    identity_model: IdentityModel = None,
    device: options.Device = "auto",
    threads: options.Threads = None,
    debug: options.Debug = False,  # noqa: ARG001 - see options
) -> None:
    """Say how much the largest faces of two photos look like one person: a cosine, at most 1.

    \b
    imgen face similarity a.jpg b.jpg
    imgen face similarity a.jpg b.jpg --identity-model MobileFaceNet.onnx
    """
    faces, _ = _start(model, detector, identity_model, device, threads)
    ends = [faces.face_of(path, where) for path, where in zip((first, second), _both(box), strict=True)]
    score, same = faces.similarity(*ends)
    verdict = "" if same is None else f"{'the same person' if same else 'not the same person'}"
    limit = "" if same is None else f" (the same from {faces.identity.threshold:.2f} on)"
    typer.echo(f"{score:.4f}  {verdict}{limit}".strip())


def _open(shared: FaceOptions) -> "tuple[FaceEditing, list[object]]":
    """The pipeline of a verb, and what tells its models from all others."""
    return _start(shared.model, shared.detector, shared.identity_model, shared.device, shared.threads)


def _start(
    model: str | None, detector: str | None, identity_model: Path | None, device: str, threads: int | None
) -> "tuple[FaceEditing, list[object]]":
    opening = work.open_model("face", model, device, threads)
    from imgen_apps.face_choice import Detector as Finding
    from imgen_apps.face_editing import FaceEditing
    from imgen_apps.face_identity import recogniser

    network, digest = opening.result()
    identity = None if identity_model is None else recogniser(identity_model, threads=threads)
    finding = Finding(detector, device=device, threads=threads)
    others = [work.digest_of(str(each)) for each in (detector, identity_model) if each is not None]
    return FaceEditing(network, detector=finding, identity=identity), [digest, *others]


def _how(shared: FaceOptions) -> dict[str, Any]:
    """How the stages of all verbs edit and write."""
    return {"min_identity": shared.min_identity, "tag": shared.tag, **shared.writing()}


def _amount(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"--set {name}={text}: an amount is a number, as in --set {name}=1") from error


def _both(boxes: list[str] | None) -> list[Any]:
    """Where the two faces are; None where they are to be found."""
    from imgen_apps.face_choice import Choice

    if boxes and len(boxes) != 2:
        raise UsageError(f"--box is given {len(boxes)} times; give it twice, for the first photo and for the second")
    return [Choice.parse("largest", box).box for box in boxes or (None, None)]
