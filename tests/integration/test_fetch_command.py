"""`paperwire fetch` for ids and searches, against a running fetcher."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cli.local.arxiv import Replay, api, replay_app
from cli.local.serving import serving
from services.fetcher.app import build
from services.fetcher.settings import Settings
from tests.announcements import RECORDED

FEEDS = '[[feed]]\nslug = "a"\ncategories = ["cs.AI"]\nkeywords = ["LLM"]\n'
KNOWN = [(RECORDED / "atom" / name).read_bytes() for name in ("id_1707.08567.xml", "harsh_4_journal_ref.xml")]


@pytest.fixture
async def nats(nats_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """The address of the NATS that a fetcher listens to."""
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text(FEEDS, encoding="utf-8")
    arxiv = Replay()
    arxiv.api = api.entries(*KNOWN)
    async with serving(replay_app(arxiv)) as url:
        settings = Settings(
            nats_url=nats_url,
            feeds_file=feeds_file,
            contact="test@localhost",
            arxiv_rss_url=f"{url}/rss",
            arxiv_api_url=f"{url}/api/query",
            arxiv_interval=0,
            retry_delay=0.1,
            probe_port=0,
        )
        async with build(settings):
            yield nats_url


@asynccontextmanager
async def paperwire(*arguments: str) -> AsyncIterator[tuple[int | None, str, str]]:
    """Exit code, standard output and standard error of the command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 60)
        yield process.returncode, output.decode(), errors.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_ids_that_are_found_are_printed_and_the_exit_code_is_0(nats: str) -> None:
    async with paperwire("fetch", "1707.08567", "--nats-url", nats) as (code, output, errors):
        assert (code, output) == (
            0,
            "1707.08567v1  Proceedings of Workshop AEW10: Concepts in Information Theory and Communications\n",
        )
        assert "1 of 1 papers" in errors


async def test_ids_that_are_not_found_are_told_and_the_exit_code_is_1(nats: str) -> None:
    async with paperwire("fetch", "0808.05394", "1707.08567", "abc", "--nats-url", nats) as (code, output, errors):
        assert code == 1
        assert output.count("\n") == 1
        assert "paperwire: not found: 0808.05394; no arXiv id: abc" in errors


async def test_a_search_prints_no_more_than_was_ordered(nats: str) -> None:
    query = 'abs:"codon model"'
    async with paperwire("fetch", "--search", query, "--max", "3", "--nats-url", nats) as (code, output, _):
        assert code == 0
        assert output.count("\n") == 3


@pytest.mark.parametrize("arguments", [[], ["1707.08567", "--now"], ["1707.08567", "--search", "abs:x"]])
async def test_one_thing_is_fetched_at_a_time(arguments: list[str]) -> None:
    async with paperwire("fetch", *arguments) as (code, _, errors):
        assert code == 2
        assert "say one of" in errors
