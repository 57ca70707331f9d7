"""`paperwire status`: is every announcement accounted for?"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from cli import web
from cli.local.processes import LocalError

if TYPE_CHECKING:
    from rich.table import Table

DEFAULT_URL = "http://127.0.0.1:8080"
ADDRESS = re.compile(r"https?://[^/\s]+", re.IGNORECASE)
SOURCE_COUNTS = ("announced", "seen", "missing", "late")
COUNTS = ("announced", "scored", "selected", "summarised", "published", "waiting", "dead")


def address(url: str | None) -> str:
    """The publisher's address: the given one, else PUBLIC_URL, else the default of `paperwire up`."""
    found = (url or os.environ.get("PUBLIC_URL") or DEFAULT_URL).rstrip("/")
    if not ADDRESS.match(found):
        name, code = ("--url", 2) if url else ("PUBLIC_URL", 78)
        raise LocalError(f"{name}: {found!r} is not an address like {DEFAULT_URL}", code)
    return found


def fetch(base: str) -> dict[str, Any]:
    """`/status.json`, or an error that says who did not answer."""
    try:
        status = web.get_json(f"{base}/status.json")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        told = f"{base}/status.json: {getattr(reason, 'strerror', None) or reason}; is the publisher running?"
        raise LocalError(f"{told} Start it with paperwire up, or give its address with --url") from None
    if not isinstance(status, dict) or not isinstance(status.get("batches"), list):
        raise LocalError(f"{base}/status.json is not Paperwire's; give the publisher's address with --url")
    return status


def count(batch: dict[str, Any], name: str) -> int:
    """A batch's count; `dead` adds up papers and entries."""
    if name == "dead" and "dead" not in batch:
        return int(batch.get("dead_papers", 0)) + int(batch.get("dead_entries", 0))
    return int(batch.get(name) or 0)


def complete(status: dict[str, Any]) -> bool:
    """Whether every batch and every day is."""
    return all(one.get("complete") for one in (*status["batches"], *days(status)))


def days(status: dict[str, Any]) -> list[dict[str, Any]]:
    """What is known of the completeness of each announcement day; an older publisher tells nothing."""
    found = status.get("days")
    return found if isinstance(found, list) else []


def show(status: dict[str, Any]) -> None:
    """The batches as a table."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    numbers = [Column(name, justify="right") for name in COUNTS]
    table = Table(Column("batch", no_wrap=True), *numbers, Column("state", no_wrap=True), box=None, pad_edge=False)
    for batch in status["batches"]:
        table.add_row(escape(str(batch["batch"])), *(str(count(batch, name)) for name in COUNTS), state(batch))
    console = Console()
    console.width = max(console.width, 80 if console.is_terminal else 120)
    if status.get("stale"):
        console.print(escape(str(status["stale"])), soft_wrap=True)
    console.print(table if status["batches"] else "Nothing has been announced yet.")
    if days(status):
        console.print()
        console.print(completeness(days(status)))
        for day in days(status):
            if day.get("reason"):
                console.print(f"{escape(str(day.get('date')))}: {escape(str(day['reason']))}", soft_wrap=True)


def completeness(found: list[dict[str, Any]]) -> Table:
    """Per day and category: what the source lists, and what came."""
    from rich.markup import escape
    from rich.table import Column, Table

    numbers = [Column(name, justify="right") for name in SOURCE_COUNTS]
    table = Table(Column("day", no_wrap=True), Column("category", no_wrap=True), *numbers, "state", box=None)
    for day in found:
        for one in day.get("categories") or [{"category": "-"}]:
            counts = ("?" if one.get(name) is None else str(one[name]) for name in SOURCE_COUNTS)
            table.add_row(
                escape(str(day.get("date"))), escape(str(one.get("category"))), *counts, category_state(day, one)
            )
    return table


def category_state(day: dict[str, Any], one: dict[str, Any]) -> str:
    """One word for a category of a day."""
    if one.get("stale"):
        return "[red]stale[/red]"
    if one.get("missing"):
        return "[red]incomplete[/red]"
    if "seen" not in one:
        return "complete" if day.get("complete") else "[red]incomplete[/red]"
    return "not counted" if one.get("announced") is None else "complete"


def show_fetcher(status: dict[str, Any]) -> None:
    """When arXiv was asked, and why it could not be read."""
    fetcher = status.get("fetcher")
    if not isinstance(fetcher, dict):
        return
    print(f"arXiv: {fetcher.get('outcome')}, asked at {fetcher.get('checked')}")
    for name, words in (("reason", "the reason"), ("retry_at", "asked again after")):
        if fetcher.get(name):
            print(f"  {words}: {fetcher[name]}")


def healthy(status: dict[str, Any]) -> bool:
    """Whether every announcement is complete, and nothing may hide a newer one."""
    fetcher = status.get("fetcher")
    failed = isinstance(fetcher, dict) and fetcher.get("outcome") == "failed"
    return complete(status) and not failed and not status.get("stale")


def state(batch: dict[str, Any]) -> str:
    """Whether it is complete, and why it is empty."""
    from rich.markup import escape

    reason = f" ({escape(str(batch['reason']))})" if batch.get("reason") else ""
    return ("complete" if batch.get("complete") else "[red]incomplete[/red]") + reason


def run(url: str | None, as_json: bool) -> int:
    """The exit code: 0 when everything is accounted for and arXiv can be read, else 1."""
    status = fetch(address(url))
    if as_json:
        print(json.dumps(status, indent=2, ensure_ascii=False))
    else:
        show(status)
        show_fetcher(status)
    return 0 if healthy(status) else 1
