"""The command ``imgen``: its verbs, and what becomes of errors.

Nothing heavy is imported before a verb runs: ``imgen --help`` stays quick.
"""

import logging
import sys
import traceback
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from imgen import __version__
from imgen.cli import (
    bench,
    compare,
    degrade,
    demo,
    derain,
    doctor,
    evaluate,
    export,
    face,
    generate,
    inpaint,
    models,
    options,
    run,
    sample,
    train,
    translate,
    upscale,
)
from imgen.errors import ImgenError


class _Verbs(TyperGroup):
    """Says in one line what a user can put right, and exits with the code of its kind."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except ImgenError as error:
            if ctx.meta.get("imgen.debug"):
                traceback.print_exc()
            typer.echo(f"imgen: {error}", err=True)
            raise typer.Exit(error.exit_code) from None


app = typer.Typer(
    cls=_Verbs,
    help="Image processing with GANs: fill holes in photographs, make them larger, take raindrops off, translate "
    "them, edit faces; train and export models yourself.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich takes as long to import as all the rest
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"imgen {__version__}")
        raise typer.Exit


@app.callback()
def _imgen(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: options.Debug = False,
) -> None:
    pass


app.command()(inpaint.inpaint)
app.command()(upscale.upscale)
app.command()(derain.derain)
app.command()(translate.translate)
app.add_typer(face.app, name="face")
app.command(context_settings=run.SETTINGS)(run.run)
app.command()(degrade.degrade)
app.command()(demo.demo)
app.add_typer(models.app, name="models")
app.command(epilog=bench.EPILOG)(bench.bench)
app.command()(doctor.doctor)
app.command(epilog=train.EPILOG)(train.train)
app.command(epilog=sample.EPILOG)(sample.sample)
app.command(epilog=generate.INTERPOLATE)(generate.interpolate)
app.command(epilog=generate.WALK)(generate.walk)
app.command(epilog=generate.RECONSTRUCT)(generate.reconstruct)
app.command(epilog=compare.EPILOG)(compare.compare)
app.command(epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command(epilog=export.EPILOG)(export.export)


def main() -> None:
    """Run the command line; an error that nobody foresaw is one line too, and a traceback with --debug."""
    warnings.filterwarnings("ignore", module="PIL")  # of damaged metadata; a damaged image is an error of its own
    logging.basicConfig(format="imgen: %(message)s")
    try:
        app(prog_name="imgen")
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        what = "not enough memory" if isinstance(error, MemoryError) else f"unexpected {type(error).__name__}: {error}"
        sys.exit(f"imgen: {' '.join(what.split())}; --debug shows where")
