"""The command line `paperwire`. Every error is one clear line; `paperwire --help` says what exit codes mean."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import demo as demo_command
from cli import running
from cli import status as status_command
from cli import up as up_command
from cli.entry import leave_when_interrupted
from cli.events import events_app
from cli.local.processes import LocalError

HELP = """Reads what arXiv announces, scores it against your feeds, summarises the best and publishes it.

Exit codes: 0 all is well; 1 something failed or is incomplete; 2 wrong usage; 78 a setting is missing or wrong;
128 + n ended by signal n before the work was done."""

LATER = {
    "backfill": ("cli.backfill", "backfill_app"),
    "fetch": ("cli.fetch", "fetch_app"),
    "arxiv": ("cli.arxiv", "arxiv_app"),
    "feeds": ("cli.feeds", "feeds_app"),
    "bench": ("cli.bench", "bench_app"),
}


class Commands(TyperGroup):
    """Groups with heavy imports are imported when they are asked for; the demo starts sooner without them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *LATER]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in LATER:
            return super().get_command(ctx, cmd_name)
        module, name = LATER[cmd_name]
        command = typer.main.get_command(getattr(import_module(module), name))
        command.name = cmd_name
        return command


app = typer.Typer(cls=Commands, help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(events_app, name="events")

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages and feeds; 0 takes a free one.")]


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End when everything is published.")] = False,
    out: Annotated[Path | None, typer.Option(file_okay=False, help="Also write feeds and pages here.")] = None,
    port: Port = 0,
    data: Annotated[Path | None, typer.Option(file_okay=False, help="Keep the data here.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Do not remove the temporary data folder.")] = False,
    fault: Annotated[list[str] | None, typer.Option(help="Spoil an answer; see paperwire arxiv --help.")] = None,
) -> None:
    """A recorded announcement through the whole pipeline: no network, no key, nothing to install."""
    options = demo_command.Options(once=once, out=out, port=port, data=data, keep=keep, faults=tuple(fault or ()))
    raise typer.Exit(running.run(demo_command.run(options)))


@app.command()
def up(
    *,
    feeds: Annotated[Path | None, typer.Option(help="The feed configuration; else FEEDS_FILE.")] = None,
    port: Port = 8080,
    data: Annotated[Path, typer.Option(file_okay=False, help="Where the data is kept.")] = up_command.DATA,
) -> None:
    """The whole pipeline on this machine, live. NATS_URL or DATABASE_URL replace the embedded servers."""
    raise typer.Exit(running.run(up_command.run(feeds, port, data)))


@app.command()
def status(
    *,
    url: Annotated[str | None, typer.Option(help="The publisher's address; else PUBLIC_URL.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the document itself.")] = False,
) -> None:
    """The announcements and what became of them; exit code 1 when one is incomplete or arXiv fails."""
    raise typer.Exit(status_command.run(url, as_json))


@app.command()
def version() -> None:
    """The version of this program."""
    from importlib.metadata import version as installed

    typer.echo(installed("paperwire"))


def print_version(wanted: bool) -> None:
    """`--version`, as most programs have it."""
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="The version of this program.")
    ] = False,
) -> None:
    """What can be said before a command."""


def main() -> None:
    """The entry point. Libraries' own logs are silent here: errors are told below."""
    leave_when_interrupted()
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        app()
    except LocalError as error:
        fail(str(error), error.exit_code)
    except running.Interrupted as interrupted:
        fail(f"ended by {interrupted}", interrupted.exit_code)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), 1)


def fail(text: str, code: int) -> None:
    """One clear line (and the log that belongs to it), and the exit code."""
    print(f"paperwire: {text}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
