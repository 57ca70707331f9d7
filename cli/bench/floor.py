"""The floor: the same work as fetcher, scorer and publisher do, by a bare nats-py and asyncpg loop.

Announcement bytes → lxml → JSON on a stream with `Nats-Msg-Id` → matched against the same terms → JSON on the
stream → the same two tables, acknowledged after the commit. Three tasks in one process, batches of 100 to 500,
nothing checked, nothing retried, no feed selected: what plain libraries can do at most.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from typing import Any

import asyncpg
import nats
from lxml import etree
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, StorageType, StreamConfig

from cli.bench.corpus import Document

STREAM = "FLOOR"
FETCH = 500
DC = "{http://purl.org/dc/elements/1.1/}"
ARXIV = "{http://arxiv.org/schemas/atom}"

PAPERS = """INSERT INTO papers (id, version, date, batch, title, authors, abstract, categories, license, source)
SELECT id, 1, $2, 'floor', title, authors::jsonb, abstract, categories::jsonb, license, 'arxiv'
FROM unnest($1::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS t (id, title, authors, abstract, categories, license)
ON CONFLICT (id) DO UPDATE SET title = excluded.title WHERE papers.version < excluded.version"""
ANNOUNCEMENTS = """INSERT INTO announcements (batch, paper_id, version, date, kind, position, matches)
SELECT 'floor', id, 1, $2, kind, position, matches::jsonb
FROM unnest($1::text[], $3::text[], $4::int[], $5::text[]) AS t (id, kind, position, matches) ON CONFLICT DO NOTHING"""

Send = Callable[[Client, JetStreamContext, str, Sequence[tuple[str, bytes]]], Any]


async def singly(connection: Client, js: JetStreamContext, subject: str, items: Sequence[tuple[str, bytes]]) -> None:
    """Publish one by one, acknowledgements awaited together: the usual way."""
    del connection
    futures = [await js.publish_async(subject, data, headers={"Nats-Msg-Id": key}) for key, data in items]
    await asyncio.gather(*futures)


async def atomically(
    connection: Client, js: JetStreamContext, subject: str, items: Sequence[tuple[str, bytes]]
) -> None:
    """Publish as one atomic batch, which shares one fsync: the fastest way."""
    del js
    batch = secrets.token_hex(16)
    for number, (key, data) in enumerate(items, start=1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number), "Nats-Msg-Id": key}
        if number < len(items):
            await connection.publish(subject, data, headers=headers)
        else:
            reply = await connection.request(subject, data, headers={**headers, "Nats-Batch-Commit": "1"}, timeout=30)
            if json.loads(reply.data).get("count") != len(items):
                raise RuntimeError(reply.data)


def parse(document: bytes) -> list[dict[str, Any]]:
    """One pass over every item's children."""
    papers = []
    for position, item in enumerate(etree.fromstring(document).iter("item")):
        paper: dict[str, Any] = {"categories": [], "position": position}
        for child in item:
            text = child.text or ""
            match child.tag:
                case "title":
                    paper["title"] = text
                case "guid":
                    paper["id"] = text.removeprefix("oai:arXiv.org:")[:-2]
                case "description":
                    paper["abstract"] = text.partition("Abstract: ")[2]
                case "category":
                    paper["categories"].append(text)
                case tag if tag == DC + "creator":
                    paper["authors"] = text.split(", ")
                case tag if tag == DC + "rights":
                    paper["license"] = text
                case tag if tag == ARXIV + "announce_type":
                    paper["kind"] = text
        papers.append(paper)
    return papers


async def run(
    nats_url: str,
    database_url: str,
    documents: Sequence[Document],
    match: Callable[[dict[str, Any]], list[Any]],
    send: Send,
) -> None:
    """Everything from the documents' bytes to the rows of `papers` and `announcements`."""
    total = sum(document.papers for document in documents)
    connections = [await nats.connect(nats_url, pending_size=64 << 20) for _ in range(3)]
    streams = [connection.jetstream(timeout=10, publish_async_max_pending=1_000) for connection in connections]
    await _provision(streams[0])

    async def fetcher() -> None:
        for document in documents:
            papers = parse(document.body)
            for start in range(0, len(papers), FETCH):
                chunk = papers[start : start + FETCH]
                items = [(f"announced:{paper['id']}", json.dumps(paper).encode()) for paper in chunk]
                await send(connections[0], streams[0], "floor.announced", items)

    async def scorer() -> None:
        async for messages in _take(streams[1], "scorer", total):
            items = []
            for message in messages:
                paper = json.loads(message.data)
                paper["matches"] = match(paper)
                items.append((f"scored:{paper['id']}", json.dumps(paper).encode()))
            await send(connections[1], streams[1], "floor.scored", items)
            for message in messages:
                await message.ack()

    async def storer() -> None:
        database = await asyncpg.connect(database_url)
        async for messages in _take(streams[2], "storer", total):
            papers = [json.loads(message.data) for message in messages]
            async with database.transaction():
                await _store(database, documents[0].day, papers)
            for message in messages:
                await message.ack()
        await database.close()

    await asyncio.gather(fetcher(), scorer(), storer())
    for connection in connections:
        await connection.close()


async def _provision(js: JetStreamContext) -> None:
    await js.add_stream(
        StreamConfig(
            name=STREAM, subjects=["floor.>"], storage=StorageType.FILE, allow_atomic=True, duplicate_window=120
        )
    )
    for name, subject in (("scorer", "floor.announced"), ("storer", "floor.scored")):
        config = ConsumerConfig(
            durable_name=name, filter_subject=subject, ack_policy=AckPolicy.EXPLICIT, max_ack_pending=5_000
        )
        await js.add_consumer(STREAM, config)


async def _take(js: JetStreamContext, durable: str, left: int) -> AsyncIterator[list[Msg]]:
    subscription = await js.pull_subscribe_bind(durable, stream=STREAM)
    while left:
        messages = await subscription.fetch(min(FETCH, left), timeout=30)
        left -= len(messages)
        yield messages


async def _store(database: Any, day: date, papers: list[dict[str, Any]]) -> None:
    def column(name: str) -> list[Any]:
        return [paper[name] for paper in papers]

    def encoded(name: str) -> list[str]:
        return [json.dumps(paper[name]) for paper in papers]

    ids = column("id")
    await database.execute(
        PAPERS,
        ids,
        day,
        column("title"),
        encoded("authors"),
        column("abstract"),
        encoded("categories"),
        column("license"),
    )
    await database.execute(ANNOUNCEMENTS, ids, day, column("kind"), column("position"), encoded("matches"))
