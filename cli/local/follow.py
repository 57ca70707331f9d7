"""Following an announcement through the local stack until all of it is published."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from cli import status, web
from cli.local.processes import LocalError
from cli.local.stack import Stack, in_thread

POLL = 0.1

Show = Callable[[Mapping[str, int]], None]


async def until_published(stack: Stack, show: Show, timeout: float) -> None:
    """Show the counts until everything announced is accounted for; otherwise say what is missing, and where."""
    deadline = time.monotonic() + timeout
    while True:
        stack.check()
        counts, done = await in_thread(look, stack)
        show(counts)
        if done:
            return
        if time.monotonic() > deadline:
            raise LocalError(f"not everything was published within {timeout:g} s: {counts}\n{tails(stack)}")
        await asyncio.sleep(POLL)


def look(stack: Stack) -> tuple[dict[str, int], bool]:
    """The counts over all batches, and whether nothing is left to do."""
    try:
        batches = status.fetch(stack.web_url)["batches"]
        announced = web.published(f"{stack.services['fetcher'].probe_url}/metrics").get("papers.announced", 0)
    except (LocalError, OSError):  # on its way up again
        return {}, False
    counts = {name: sum(status.count(batch, name) for batch in batches) for name in status.COUNTS}
    counts["announced"] = max(counts["announced"], announced)
    complete = bool(batches) and all(batch.get("complete") for batch in batches)
    return counts, complete and idle(stack)


def idle(stack: Stack) -> bool:
    """Whether every consumer has handled every message.

    A batch whose selection is still under way looks complete from where the publisher stands.
    """
    from shared.provision import CONSUMERS

    if stack.nats is None:
        return True
    try:
        answer = web.get_json(f"{stack.nats.monitor_url}/jsz?consumers=true")
    except OSError:
        return False
    consumers = {consumer["name"]: consumer for stream in streams(answer) for consumer in details(stream)}
    ours = [consumers.get(name) for name in CONSUMERS]
    return all(found and not found["num_pending"] and not found["num_ack_pending"] for found in ours)


def details(stream: dict[str, Any]) -> list[dict[str, Any]]:
    """The stream's consumers; those that a reader made for a moment are among them."""
    return stream.get("consumer_detail") or []


def streams(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """All streams in the server's report."""
    return [stream for account in answer["account_details"] for stream in account.get("stream_detail") or []]


def tails(stack: Stack) -> str:
    """The end of every service's log."""
    return "\n".join(f"--- {s.process.log}\n{s.process.tail(8)}" for s in stack.services.values())
