"""imgen compare: several methods on the same data, with the same networks and several seeds."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgen.cli import runs
from imgen.cli.settings import split
from imgen.cli.train import BATCH, LOOP, begin, parsed
from imgen.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from imgen.data.batch import Source
    from imgen.networks.scale import Shape
    from imgen.training.comparison import Judge

EPILOG = (
    "Examples:  imgen compare vae wae-gan aegan --data photos/ --size 32 --steps 5000    "
    "imgen compare wgan-gp gan gan:loss=minimax,generator_steps=2 --data toy:grid    "
    "imgen compare vae vae:beta=4 --data digits/ --seeds 5 --resume"
)
SAME = {"code": "64", "width": "32"}
"""Of all methods that have such a setting, unless --set says otherwise: the networks are the same then."""


def compare(
    methods: Annotated[list[str], typer.Argument(metavar="METHOD...", help="vae, gan, ...; or vae:beta=4,width=16.")],
    data: Annotated[list[str], typer.Option(help="As of imgen train.")],
    out: Annotated[Path, typer.Option(help="Folder for the runs, the table and the picture.")] = Path("runs/compare"),
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Runs of each method, with seeds from 0.")] = 3,
    size: Annotated[
        int | None, typer.Option(min=1, help="Side of the images, a power of two.", show_default="64; of idx files 32")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Length of each run.")] = 20_000,
    batch: Annotated[int, typer.Option(min=1, help="Images a step.")] = BATCH,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="For all methods that have it.",
            show_default=", ".join(f"{name}={value}" for name, value in SAME.items()),
        ),
    ] = None,
    column: Annotated[str | None, typer.Option(help="Of a .csv table: whose values are the classes.")] = None,
    channels: Annotated[int | None, typer.Option(help="1 grey, 3 colour.", show_default="what the images have")] = None,
    features: Annotated[
        str, typer.Option(metavar="NETWORK", help="What sees the images, as of imgen evaluate.")
    ] = "efficientnet-lite0",
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=6, help="Samples to judge, and real data to judge by.")
    ] = 2000,
    device: runs.Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a comparison that was stopped.")] = False,
) -> None:
    """Train each method several times and say how they did: one table with mean and deviation, and a picture."""
    runs.need_torch("comparing")
    from imgen.cli.devices import torch_device
    from imgen.data.open import open_data
    from imgen.training import checkpoint, comparison, run

    place = torch_device(device)
    options = {"names": data, "size": size, "channels": channels, "column": column, "batch": batch}
    sets: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    source = open_data(**sets)
    wanted = _methods(methods, split(settings or []))
    for method, texts in wanted.values():
        _try(method, texts, source.shape, steps)
    if not resume and out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; give --resume to go on with a comparison, or another --out")
    judge = _judge(source, data[0], features, count, place)
    found: dict[str, list[dict[str, float]]] = {label: [] for label in wanted}
    rows: dict[str, Tensor] = {}
    for seed in range(seeds):
        for label, (method, texts) in wanted.items():
            folder = out / f"{label.replace(':', '-').replace(',', '-')}-{seed}"
            typer.echo(f"{label}, seed {seed}: {folder}", err=True)
            loop, there = {"steps": steps, "seed": seed}, checkpoint.path_in(folder).exists()
            trainer = begin(method, folder, place, sets, loop, texts, about={}, resume=there)
            try:
                trainer.run()
            except KeyboardInterrupt:
                typer.echo(f"stopped in {folder}; the same command with --resume goes on from there", err=True)
                raise
            run.finish(folder)
            engine = run.load(folder, place)
            speed = {"steps/s": comparison.pace((folder / "log.jsonl").read_text())}
            found[label].append(judge(engine) | speed)
            rows.setdefault(label, comparison.show(engine, judge.real))
    summary = {label: comparison.summarise(values) for label, values in found.items()}
    protocol = (
        f"imgen compare 1: {', '.join(data)}, {steps} steps of {batch}, {seeds} seeds; "
        f"{len(judge.real.image)} samples against as many real ones"
    )
    settings_of = {label: texts for label, (_, texts) in wanted.items()}
    report = {"protocol": protocol, "settings": settings_of, "summary": summary, "runs": found}
    (out / "compare.json").write_text(json.dumps(report, indent=2) + "\n")
    text = comparison.table(summary)
    (out / "compare.md").write_text(f"{text}\n\n{protocol}\n")
    runs.write_image(comparison.picture(rows).numpy(), out / "compare.png")
    typer.echo(f"{text}\n\n{protocol}\n{out}: compare.json, compare.md, compare.png")


def _methods(labels: list[str], common: dict[str, str]) -> dict[str, tuple[str, dict[str, str]]]:
    """Each label, such as ``vae:beta=4,width=16``, as a method and all its settings.

    Raises:
        UsageError: there is no such method, or none that has one of the common settings.
    """
    from dataclasses import fields

    from imgen.engines import ENGINES
    from imgen.lookup import find

    wanted: dict[str, tuple[str, dict[str, str]]] = {}
    used: set[str] = set()
    for label in labels:
        method, colon, own = label.partition(":")
        names = {field.name for field in fields(find(ENGINES, method, "method").Config)}
        known = {name: text for name, text in common.items() if name in names or name.startswith(LOOP)}
        same = {name: text for name, text in SAME.items() if name in names}
        wanted[label] = method, {**same, **known, **(split(own.split(",")) if colon else {})}
        used |= known.keys()
    unused = [name for name in common if name not in used]
    if unused:
        raise UsageError(f"--set {unused[0]}: none of {', '.join(labels)} has such a setting")
    return wanted


def _try(method: str, texts: dict[str, str], shape: "Shape", steps: int) -> None:
    """Build a method once: what is wrong with the last of them should be said before the first has been trained."""
    from imgen.engines import ENGINES
    from imgen.training.config import TrainConfig

    own, loop = parsed(method, texts)
    ENGINES[method].build(shape, ENGINES[method].Config(**own)).check(TrainConfig(**{"steps": steps, **loop}).steps)


def _judge(source: "Source", name: str, features: str, count: int, device: str) -> "Judge":
    """By the data itself; of a mixture of points, by its centres."""
    from imgen.data.open import TOY
    from imgen.data.toys import MIXTURES
    from imgen.metrics import open_extractor
    from imgen.training.comparison import Judge

    if source.shape.size:
        return Judge.of(source, count, open_extractor(features, device=device), None)
    return Judge.of(source, count, None, MIXTURES[name.removeprefix(TOY)])
