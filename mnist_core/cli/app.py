"""The command line: `mnist-core train | teach | evaluate | predict | runs | models | drawings`.

Exit codes: 0 success, 1 an error (the message says what to do), 2 a wrong command line, 130 stopped with Ctrl-C.
"""

import sys
from typing import NoReturn

import typer

from mnist_core.cli.drawings import drawings
from mnist_core.cli.evaluate import evaluate_command, predict
from mnist_core.cli.models import models
from mnist_core.cli.runs import runs
from mnist_core.cli.train import teach_command, train
from mnist_core.errors import MnistCoreError, RecipeError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, evaluate and use small networks that classify handwritten digits.",
)
app.command()(train)
app.command(name="teach")(teach_command)
app.command(name="evaluate")(evaluate_command)
app.command()(predict)
app.add_typer(runs, name="runs")
app.add_typer(models, name="models")
app.add_typer(drawings, name="drawings")


def main() -> NoReturn:
    """Run the command line. A domain error becomes one line on standard error."""
    try:
        app(prog_name="mnist-core")
    except RecipeError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
    except MnistCoreError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)
