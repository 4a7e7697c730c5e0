"""infra/pigeonhole: registers every command, and turns their errors into messages and exit codes."""

import signal
import sys

import typer
from botocore.exceptions import BotoCoreError, ClientError

from infra.cli.console import print_error
from infra.cli.costs import show_costs
from infra.cli.documents import list_documents, show
from infra.cli.extract import extract
from infra.cli.failures import failures
from infra.cli.inputs import InputError
from infra.cli.local import local, offline_claude
from infra.cli.reconcile import reconcile
from infra.cli.redrive import redrive
from infra.cli.resume import gate, resume
from infra.cli.review import review
from infra.cli.run import run
from infra.cli.status import status
from infra.local.server import SetupError
from infra.ops.operations import NotAllowedError
from infra.ops.stack import StackError
from pigeonhole.domain.errors import PigeonholeError

app = typer.Typer(
    name="infra/pigeonhole",
    help="Sorts and summarises documents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(extract)
app.command("list")(list_documents)
app.command()(show)
app.command()(status)
app.command("costs")(show_costs)
app.command()(failures)
app.command()(redrive)
app.command()(reconcile)
app.command()(review)
app.command()(resume)
app.add_typer(gate, name="gate")
app.add_typer(local, name="local")
app.command("offline-claude")(offline_claude)


def main() -> None:
    """Run the command of the arguments.

    SIGTERM raises SystemExit, as SIGINT raises KeyboardInterrupt, so that `with` blocks stop the servers
    that they have started.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app(prog_name="infra/pigeonhole")
    except (InputError, SetupError, StackError, NotAllowedError, PigeonholeError) as error:
        print_error(str(error))
    except (BotoCoreError, ClientError) as error:
        print_error(f"AWS: {error}")
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe, such as `head`, has closed it
        sys.exit(0)
    sys.exit(2)


if __name__ == "__main__":
    main()
