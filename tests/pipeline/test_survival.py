"""Whatever is killed, restarted, doubled or replayed: readers see the same bytes."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path
from typing import Any

import nats
import pytest

from services.publisher.feed import publication_time
from tests.pipeline.world import SLUGS, World, recorded_day, undisturbed, world

BATCH = "arxiv:2025-12-10"
DOCUMENT = recorded_day(10)
SERVICES = ("fetcher", "scorer", "summarizer", "publisher")
KILLS = 14

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes after an undisturbed run."""
    return asyncio.run(undisturbed(tmp_path_factory.mktemp("undisturbed"), DOCUMENT, BATCH))


def differences(seen: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    return [path for path in expected if seen.get(path) != expected[path]]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_killing_anything_at_any_moment_changes_no_byte(
    tmp_path: Path, expected: dict[str, bytes], seed: int
) -> None:
    async with world(tmp_path) as here:
        reviving = asyncio.create_task(here.revive())
        here.announce(DOCUMENT)
        await disturb(here, random.Random(seed))
        await here.published(BATCH, timeout=120)
        seen = await here.snapshot()
        status = await here.status()
        reviving.cancel()
    assert differences(seen, expected) == []
    assert status["dead_letters"] == 0


async def disturb(here: World, chance: random.Random) -> None:
    """Kill one thing after the other, each service and server at least once, at random moments."""
    victims = [*SERVICES, "nats", "postgres"]
    victims += chance.choices(victims, k=KILLS - len(victims))
    chance.shuffle(victims)
    for victim in victims:
        await asyncio.sleep(chance.uniform(0.05, 0.5))
        if victim in SERVICES:
            here.stack.services[victim].process.signal(signal.SIGKILL)
        else:
            await here.restart(victim)


async def test_a_second_replica_of_everything_changes_no_byte(tmp_path: Path, expected: dict[str, bytes]) -> None:
    async with world(tmp_path) as here:
        await asyncio.gather(*(here.add_replica(name) for name in SERVICES))
        here.announce(DOCUMENT)
        await here.published(BATCH)
        seen = await here.snapshot()
        published = await messages(here, "papers.published")
    assert differences(seen, expected) == []
    assert len(published) == len(set(published))


async def test_replaying_the_announcement_changes_no_byte(tmp_path: Path, expected: dict[str, bytes]) -> None:
    async with world(tmp_path, DOCUMENT) as here:
        await here.published(BATCH)
        before = await messages(here, "papers.published")
        await publish_everything_again(here)
        await forget_what_was_fetched(here)
        here.stack.services["fetcher"].process.stop()
        here.stack.services["fetcher"].process.start()
        await here.published(BATCH)
        seen = await here.snapshot()
        after = await messages(here, "papers.published")
    assert differences(seen, expected) == []
    assert after == before


async def messages(here: World, subject: str) -> list[str]:
    """The ids of all messages on a subject."""
    connection = await nats.connect(here.stack.nats_url)
    try:
        return [message.headers["ce-id"] for message in await stored(connection.jetstream(), subject)]
    finally:
        await connection.close()


async def stored(js: Any, subject: str) -> list[Any]:
    info = await js.stream_info("PAPERS")
    found = []
    for sequence in range(info.state.first_seq, info.state.last_seq + 1):
        message = await js.get_msg("PAPERS", sequence, direct=True)
        if subject in (message.subject, ">"):
            found.append(message)
    return found


async def publish_everything_again(here: World) -> None:
    """Every message once more under a new id: what happens when one comes after the duplicate window."""
    connection = await nats.connect(here.stack.nats_url)
    js = connection.jetstream()
    everything = [message for message in await stored(js, ">") if message.subject != "papers.published"]
    random.Random(4).shuffle(everything)
    for message in everything:
        headers = {name: value for name, value in message.headers.items() if not name.startswith("Nats-")}
        new_id = {"Nats-Msg-Id": "replay:" + message.headers["ce-id"]}
        await js.publish(message.subject, message.data, headers=headers | new_id)
    await connection.close()


async def forget_what_was_fetched(here: World) -> None:
    """As if the fetcher's memory were lost."""
    connection = await nats.connect(here.stack.nats_url)
    js = connection.jetstream()
    await js.purge_stream("KV_FETCHER")
    await connection.close()


async def test_the_recorded_week_brings_every_paper_once(tmp_path: Path) -> None:
    sizes = {8: 173, 9: 342, 10: 199, 11: 197, 12: 212}
    async with world(tmp_path) as here:
        for day in sizes:
            here.announce(recorded_day(day))
            await here.published(f"arxiv:2025-12-{day:02}")
        batches = {batch["batch"]: batch for batch in (await here.status())["batches"]}
        published = await messages(here, "papers.published")
        announced = await messages(here, "papers.announced")
    assert len(published) == len(set(published))
    papers = [key.rpartition(":")[2] for key in announced]
    assert len(papers) == len(set(papers))
    assert {name: batch["announced"] for name, batch in batches.items()} == {
        f"arxiv:2025-12-{day:02}": count for day, count in sizes.items()
    }
    assert all(batch["scored"] == batch["announced"] for batch in batches.values())


def test_the_undisturbed_run_is_worth_comparing(expected: dict[str, bytes]) -> None:
    newest = publication_time_of(expected[f"/feeds/{SLUGS[0]}.atom"])
    assert newest == "2025-12-10T05:16:39+00:00"
    assert all(len(body) > 1000 for path, body in expected.items() if path.endswith((".rss", ".atom", ".json")))


def publication_time_of(atom: bytes) -> str:
    """The date of the first entry: rank 1 of the day."""
    from datetime import date

    first = atom.decode().partition("<entry>")[2].partition("<published>")[2].partition("</published>")[0]
    assert first == publication_time(date(2025, 12, 10), 1).isoformat()
    return first
