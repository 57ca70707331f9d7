"""The local stack watches what it started: services come back, the end of a server is told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psutil
import pytest

from cli.demo import arxiv, environment, feeds_file
from cli.local import lock, scratch
from cli.local.processes import LocalError
from cli.local.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    for folder in tmp_path.iterdir():
        scratch.remove(folder)


@asynccontextmanager
async def stack(data: Path, told: list[str], **changes: str) -> AsyncIterator[Stack]:
    """The demo's stack."""
    async with AsyncExitStack() as opened:
        rss_url = await opened.enter_async_context(arxiv())
        feeds = opened.enter_context(feeds_file())
        seen = environment(feeds, rss_url) | changes
        yield await opened.enter_async_context(Stack(data, seen, tell=told.append))


async def test_a_killed_service_comes_back_and_a_killed_server_ends_the_run(temporary: Path) -> None:
    told: list[str] = []
    others = set(psutil.Process().children(recursive=True))
    async with stack(temporary / "data", told) as up:
        watching = asyncio.create_task(up.watch())

        up.services["scorer"].process.signal(signal.SIGKILL)
        await eventually(lambda: "scorer started again" in told, timeout=30)
        await eventually(lambda: up.services["scorer"].waits_for() is None, timeout=30)
        assert any(line.startswith("scorer ended with exit code 137") for line in told)

        assert up.nats is not None
        up.nats.process.signal(signal.SIGKILL)
        with pytest.raises(LocalError, match=r"(?s)^nats-server ended with exit code 137; the end of .*nats\.log"):
            await asyncio.wait_for(watching, 30)
        family = set(psutil.Process().children(recursive=True)) - others

    assert len(family) > 6
    assert not [process for process in family if process.is_running()]


async def test_servers_may_be_restarted_on_purpose(temporary: Path) -> None:
    async with stack(temporary / "data", []) as up:
        assert up.nats
        assert up.postgres
        addresses = up.nats.url, up.postgres.url

        for server in (up.nats, up.postgres):
            await asyncio.to_thread(server.kill)
            up.check()
            await asyncio.to_thread(server.start)

        assert (up.nats.url, up.postgres.url) == addresses
        await eventually(lambda: not [s for s in up.services.values() if s.waits_for()], timeout=30)


async def test_a_wrong_setting_ends_the_start_with_its_name(temporary: Path) -> None:
    with pytest.raises(LocalError, match=r"(?s)^fetcher cannot start.*ARXIV_INTERVAL is illegal") as caught:
        async with stack(temporary / "data", [], ARXIV_INTERVAL="often"):
            pass

    assert caught.value.exit_code == 78


async def test_services_but_the_publisher_do_not_see_the_database(temporary: Path) -> None:
    async with stack(temporary / "data", []) as up:
        seen = {name: "DATABASE_URL" in (s.process.environment or {}) for name, s in up.services.items()}

    assert seen == {"fetcher": False, "scorer": False, "summarizer": False, "publisher": True}


def test_a_temporary_folder_is_removed_also_by_the_next_run(temporary: Path) -> None:
    left, in_use = (temporary / f"{scratch.PREFIX}{name}" for name in ("left", "used"))
    held = lock.acquire(in_use)
    left.mkdir()
    (left / "lock").write_text("999999999")

    with scratch.scratch(keep=False) as fresh:
        assert sorted(temporary.iterdir()) == sorted([in_use, fresh])

    assert list(temporary.iterdir()) == [in_use]
    assert int((in_use / "lock").read_text()) == os.getpid()
    lock.release(held)
