"""`paperwire backfill`: the papers that changed in a range of days, into the archive."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import running
from cli.orders import address, carry_out, connected, pipeline
from cli.up import DATA

if TYPE_CHECKING:
    from shared.messages import FetchProgressed, FetchRequested

backfill_app = typer.Typer(add_completion=False)
ORDER = re.compile(r"[A-Za-z0-9._:-]+")
SET = re.compile(r"[a-z-]+(?::[a-z-]+(?::[A-Za-z-]+)?)?")  # group, archive, category


class Form(StrEnum):
    """The form of the source's records."""

    raw = "arXivRaw"
    plain = "arXiv"


@backfill_app.command()
def backfill(
    *,
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of change.")],
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day of change.")],
    chosen: Annotated[str | None, typer.Option("--set", help="For example cs or cs:cs:LG; else all.")] = None,
    form: Annotated[Form, typer.Option(help="arXivRaw tells versions; arXiv has names in parts.")] = Form.raw,
    name: Annotated[str | None, typer.Option("--order", help="A name; else one from the arguments.")] = None,
    nats_url: Annotated[str | None, typer.Option(help="The pipeline's NATS; else NATS_URL; else an own one.")] = None,
    feeds: Annotated[Path | None, typer.Option(help="For an own pipeline: the feeds; else FEEDS_FILE.")] = None,
    data: Annotated[Path, typer.Option(file_okay=False, help="For an own pipeline: where its data is kept.")] = DATA,
) -> None:
    """Archive and score what changed in a range of days. Readers are told nothing.

    The fetcher does it; the same command again shows how far it is, and goes on after an interruption.
    """
    from shared.messages import FetchRequested

    first, last = since.date(), until.date()
    if first > last:
        raise typer.BadParameter(f"{first} is after {last}", param_hint="--from")
    if last > datetime.now(UTC).date():
        raise typer.BadParameter(f"{last} is still to come", param_hint="--until")
    if name is not None and not ORDER.fullmatch(name):
        raise typer.BadParameter("letters, digits and ._:- only", param_hint="--order")
    if chosen is not None and not SET.fullmatch(chosen):
        raise typer.BadParameter(f"{chosen!r}; sets look like cs, physics:hep-th, cs:cs:LG", param_hint="--set")
    title = name or name_of(first, last, chosen, form)
    order = FetchRequested(order=title, what="backfill", since=first, until=last, set=chosen, form=form.value)
    raise typer.Exit(running.run(run(order, nats_url, feeds, data)))


def name_of(first: date, last: date, chosen: str | None, form: Form) -> str:
    """The same arguments have the same name, so the same command is the same order."""
    parts = [chosen or "all", str(first), str(last)] + (["arXiv"] if form is Form.plain else [])
    return re.sub(r"[^A-Za-z0-9._:-]", "_", ".".join(parts))


def share_of(order: FetchRequested, report: FetchProgressed) -> float:
    """How much of it is done: by papers when their number is known, else by days."""
    if report.total:
        return min(1.0, report.papers / report.total)
    if order.since is None or order.until is None or report.reached is None:
        return 0.0
    return ((report.reached - order.since).days + 1) / ((order.until - order.since).days + 1)


def parting(order: FetchRequested, nats_url: str | None) -> str:
    """What to do about an order that one no longer waits for."""
    again = f"paperwire backfill --from {order.since} --until {order.until}"
    again += (f" --set {order.set}" if order.set else "") + f" --form {order.form} --order {order.order}"
    if not address(nats_url):
        return f"What was fetched is kept. To go on: {again}"
    return f"The fetcher goes on with the order. To look at it again: {again} --nats-url {address(nats_url)}"


async def run(order: FetchRequested, nats_url: str | None, feeds: Path | None, data: Path) -> int:
    """The exit code."""
    async with pipeline(nats_url, feeds, data) as url, connected(url) as bus:
        return await carry_out(bus, order, lambda report: share_of(order, report), parting(order, nats_url))
