"""Real servers for the tests: NATS fresh for each, Postgres once with a fresh migrated database for each."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

from cli.local.nats import Nats
from cli.local.postgres import Postgres

T = TypeVar("T")
TEMPLATE = "migrated"

# The same examples every time, however slow the machine; --hypothesis-profile=explore looks for new ones.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile("suite")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what a shell runs in the background has no Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)

for name in [
    name for name in os.environ if name.startswith(("LLM_", "NATS_", "DATABASE_", "FEEDS_", "ARXIV_", "EMBEDDING_"))
]:
    del os.environ[name]  # a developer's own settings are no part of a test


def run_apart(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine to its end in a thread with an event loop of its own, whatever loop the test has."""

    async def main() -> T:
        return await work()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(main())).result()


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[Nats]:
    """A NATS server of the test's own: `.url`, `.stop()`, `.start()`, `.kill()`."""
    server = Nats(tmp_path / "nats", tmp_path / "nats.log")
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def nats_url(nats_server: Nats) -> str:
    """The address of the test's own NATS server, with all streams, consumers and buckets."""
    from shared.provision import provision

    run_apart(lambda: provision(nats_server.url, replicas=1))
    return nats_server.url


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The session's Postgres server: `.url`, `.stop()`, `.start()`, `.kill()`."""
    folder = tmp_path_factory.mktemp("postgres")
    server = Postgres(folder / "data", folder / "postgres.log")
    try:
        server.start()
        yield server
    finally:
        server.destroy()


def statement(postgres: Postgres, sql: str) -> None:
    """Run one statement on the server's own database."""
    import asyncpg

    async def execute() -> None:
        connection = await asyncpg.connect(postgres.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    run_apart(execute)


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The name of the database that every test's database is a copy of."""
    from services.publisher.migrate import migrate

    statement(postgres, f"CREATE DATABASE {TEMPLATE}")
    run_apart(lambda: migrate(postgres.url_of(TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def database_url(postgres: Postgres, migrated: str) -> Iterator[str]:
    """A fresh migrated database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    statement(postgres, f"CREATE DATABASE {name} TEMPLATE {migrated}")
    yield postgres.url_of(name)
    if not (postgres.process and postgres.process.running):
        postgres.start()
    statement(postgres, f"DROP DATABASE {name} WITH (FORCE)")
