"""Migrations on a real Postgres."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from cli.local.postgres import Postgres
from services.publisher.migrate import SchemaError, migrate, migrations, missing, refuse_newer, user_of
from services.publisher.postgres import Database

FILES = [step.name for step in migrations()]
NEWER = "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, '9999_future.sql', '')"


@pytest.fixture
async def empty_url(postgres: Postgres) -> AsyncIterator[str]:
    """A database that was never migrated."""
    name = f"empty_{uuid.uuid4().hex}"
    await run(postgres.url, f"CREATE DATABASE {name}")
    yield postgres.url_of(name)
    await run(postgres.url, f"DROP DATABASE {name} WITH (FORCE)")


async def run(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def test_an_empty_database_gets_every_file_once(empty_url: str) -> None:
    assert await migrate(empty_url) == FILES
    assert await migrate(empty_url) == []


async def test_several_migrations_at_once_apply_each_file_once(empty_url: str) -> None:
    applied = await asyncio.gather(*(migrate(empty_url) for _ in range(4)))

    assert sorted(applied) == [[], [], [], FILES]


async def test_a_schema_of_a_newer_program_is_refused(empty_url: str) -> None:
    await migrate(empty_url)
    await run(empty_url, NEWER)

    with pytest.raises(SchemaError, match=f"has schema 9999, this program knows up to {int(FILES[-1][:4])}"):
        await migrate(empty_url)


async def test_a_changed_file_is_refused(empty_url: str) -> None:
    await migrate(empty_url)
    await run(empty_url, "UPDATE schema_migrations SET checksum = 'another'")

    with pytest.raises(SchemaError, match=r"0001_initial\.sql differs"):
        await migrate(empty_url)


async def test_readiness_names_the_missing_file(empty_url: str) -> None:
    async with Database(empty_url) as database:
        assert await database.ready() == (
            f"Postgres lacks the schema {', '.join(FILES)}: run `python -m services.publisher.migrate`"
        )

        await migrate(empty_url)

        assert await database.ready() is None


async def test_the_publisher_does_not_start_on_a_newer_schema(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(database_url, NEWER)

    with pytest.raises(SystemExit):
        async with Database(database_url):
            pass

    assert "start a newer program" in capsys.readouterr().err


async def test_a_current_schema_lacks_nothing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await missing(connection) is None
        await refuse_newer(connection)
    finally:
        await connection.close()


@pytest.mark.parametrize("url", ["postgresql://me@db/papers", "postgresql://db/papers?user=me"])
def test_the_user_of_an_address_is_left_to_it(url: str) -> None:
    assert user_of(url) is None


def test_an_address_without_a_user_is_for_whoever_runs_this_even_without_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PGUSER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    assert user_of("postgresql://db/papers")
