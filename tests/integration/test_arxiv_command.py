"""`paperwire arxiv` as a process: services are pointed at it by what it prints."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.fetcher.app import build
from services.fetcher.settings import Settings
from tests.announcements import RECORDED

FEEDS = '[[feed]]\nslug = "a"\ncategories = ["cs.AI"]\nkeywords = ["LLM"]\n'
KNOWN = RECORDED / "atom" / "id_1707.08567.xml"
VARIABLES = 6


async def started(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "cli.main", *arguments, stdout=PIPE, stderr=PIPE)


async def run(*arguments: str) -> tuple[int | None, str, str]:
    process = await started(*arguments)
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def arxiv(*arguments: str) -> AsyncIterator[tuple[Process, dict[str, str]]]:
    """The command, and the variables that it printed."""
    process = await started("arxiv", *arguments)
    try:
        assert process.stdout is not None
        lines = [(await asyncio.wait_for(process.stdout.readline(), 30)).decode() for _ in range(VARIABLES)]
        yield process, {found[1]: found[2] for line in lines if (found := re.match(r"export (\w+)=(.*)\n", line))}
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: Process) -> tuple[int | None, str]:
    """Its exit code after Ctrl-C, and what it told."""
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, errors.decode()


async def test_a_fetch_gets_its_paper_from_there_after_the_faults(nats_url: str, tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text(FEEDS, encoding="utf-8")
    faults = ("--fault", "429=0@/api", "--fault", "cut@/api", "--always", "503@/rss")
    async with arxiv(str(KNOWN), *faults) as (process, variables):
        values = {name.lower(): value for name, value in variables.items()}
        settings = Settings(
            nats_url=nats_url,
            feeds_file=tmp_path / "feeds.toml",
            contact="test@localhost",
            retry_delay=0.1,
            probe_port=0,
            **values,  # type: ignore[arg-type]
        )
        async with build(settings):
            code, output, _ = await run("fetch", "1707.08567", "--nats-url", nats_url)
        exit_code, told = await ended(process)

    assert code == 0
    assert output.startswith("1707.08567v1  ")
    asked = [line for line in told.splitlines() if " /api/query?" in line]
    assert [line.partition(" ")[0] for line in asked] == ["429", "200", "200"]
    assert "\n503 /rss/cs.AI\n" in told
    assert exit_code == 0


async def test_without_documents_it_announces_the_demo_s() -> None:
    async with arxiv() as (_, variables), httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{variables['ARXIV_RSS_URL']}/cs.AI+cs.CL")

    assert answer.content.count(b"<item>") == 199
    assert (variables["CHECK_LISTING"], variables["ARXIV_INTERVAL"]) == ("false", "0")


@pytest.mark.parametrize("fault", ["coffee", "slow", "slow=0", "200", "cut=3"])
async def test_a_fault_that_nobody_knows_is_wrong_usage(fault: str) -> None:
    code, _, told = await run("arxiv", "--fault", fault)

    assert code == 2
    assert "is no fault" in told


async def test_files_of_no_use_are_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
    code, _, told = await run("arxiv", str(tmp_path))

    assert (code, told) == (1, f"paperwire: {tmp_path}: no document of arXiv's is there\n")
