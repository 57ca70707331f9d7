"""`paperwire backfill` and `paperwire fetch` as processes, against a real fetcher."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from cli.backfill import Form, name_of
from cli.local.arxiv import Replay, protocol_error, rate_limited, replay_app
from cli.local.serving import serving
from cli.orders import Estimate, clock, describe
from services.fetcher.app import build
from services.fetcher.settings import Settings
from shared.messages import FetchProgressed
from shared.service import Service
from tests.announcements import ALL, WEEKEND
from tests.announcements import recorded as announcement
from tests.oai import LAST_PAGE, recorded
from tests.waiting import eventually

RANGE = ("--from", "2016-03-09", "--until", "2016-03-12")
BACKFILL = ("backfill", *RANGE, "--set", "cs", "--form", "arXiv")
FEEDS = '[[feed]]\nslug = "a"\ntitle = "A"\ncategories = ["cs.AI"]\nkeywords = ["LLM"]\n'


@pytest.fixture
def arxiv() -> Replay:
    replay = Replay({ALL: announcement(WEEKEND)})
    replay.oai.pages["arXiv"] = {date(2016, 3, 9): [recorded(LAST_PAGE)]}
    return replay


@pytest.fixture
async def fetcher(nats_url: str, tmp_path: Path, arxiv: Replay) -> AsyncIterator[Service]:
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text(FEEDS, encoding="utf-8")
    async with serving(replay_app(arxiv)) as url:
        settings = Settings(
            nats_url=nats_url,
            feeds_file=feeds_file,
            contact="test@localhost",
            arxiv_rss_url=f"{url}/rss",
            arxiv_oai_url=f"{url}/oai",
            arxiv_interval=0,
            retry_delay=0.1,
            lease_seconds=1,
            probe_port=0,
        )
        yield build(settings)


async def started(nats_url: str | None, *arguments: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "NATS_URL": nats_url or ""}
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "cli.main", *arguments]
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)


async def paperwire(nats_url: str | None, *arguments: str) -> tuple[int | None, str]:
    process = await started(nats_url, *arguments)
    _, said = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, said.decode()


async def test_a_backfill_is_followed_to_its_end_and_repeating_it_costs_nothing(
    nats_url: str, fetcher: Service, arxiv: Replay
) -> None:
    async with fetcher:
        code, said = await paperwire(nats_url, *BACKFILL)
        asked = len(arxiv.arguments("/oai"))
        again, said_again = await paperwire(nats_url, *BACKFILL)

    assert (code, again) == (0, 0)
    assert "538 of 538 papers" in said.splitlines()[-1]
    assert "done to 2016-03-12" in said_again
    assert len(arxiv.arguments("/oai")) == asked


async def test_an_order_that_fails_says_why(nats_url: str, fetcher: Service, arxiv: Replay) -> None:
    arxiv.faults.append(protocol_error("badArgument", "There is no such set."))
    async with fetcher:
        code, said = await paperwire(nats_url, "backfill", *RANGE, "--set", "nosuch", "--order", "mine")

    assert code == 1
    assert said.splitlines()[-1] == (
        "paperwire: the order mine failed: the source refuses the order: badArgument: There is no such set."
    )


async def test_a_name_stands_for_the_arguments_it_was_first_given_with(nats_url: str, fetcher: Service) -> None:
    async with fetcher:
        await paperwire(nats_url, *BACKFILL, "--order", "mine")
        code, said = await paperwire(nats_url, "backfill", *RANGE, "--order", "mine")

    assert code == 1
    assert "the order 'mine' was given before with other arguments" in said


async def test_an_interrupted_command_leaves_the_order_and_says_how_to_look_again(
    nats_url: str, fetcher: Service, arxiv: Replay
) -> None:
    arxiv.faults.append(rate_limited("2").at("/oai"))
    async with fetcher:
        process = await started(nats_url, *BACKFILL, "--order", "mine")
        assert process.stderr is not None
        first = await asyncio.wait_for(process.stderr.readline(), 30)
        process.send_signal(signal.SIGINT)
        _, said = await asyncio.wait_for(process.communicate(), 30)
        await eventually(lambda: len(arxiv.arguments("/oai")) >= 2)
        code, _ = await paperwire(nats_url, *BACKFILL, "--order", "mine")

    assert first.startswith(b"0 papers")
    assert process.returncode == 130
    assert "To look at it again: paperwire backfill --from 2016-03-09" in said.decode()
    assert code == 0


async def test_fetch_now_tells_what_came_of_it(nats_url: str, fetcher: Service) -> None:
    async with fetcher:
        code, said = await paperwire(nats_url, "fetch", "--now")

    assert code == 0
    assert "the newest announcement is of 2026-08-01" in said


async def test_a_nats_that_does_not_answer_is_one_clear_line() -> None:
    code, said = await paperwire("nats://127.0.0.1:9", *BACKFILL)

    assert code == 1
    assert said.startswith("paperwire: NATS_URL: nats://127.0.0.1:9 does not answer; is the pipeline running there?")
    assert said.count("\n") == 1


async def test_without_a_nats_the_pipeline_s_own_settings_are_asked_for() -> None:
    code, said = await paperwire(None, *BACKFILL)

    assert code == 78
    assert said.startswith("paperwire: CONTACT is missing")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--from", "2025-12-31", "--until", "2025-12-01"), "2025-12-31 is after 2025-12-01"),
        (("--from", "2025-12-01", "--until", "2999-12-01"), "2999-12-01 is still to come"),
        ((*RANGE, "--order", "a b"), "letters, digits"),
    ],
)
async def test_wrong_usage_is_told(arguments: tuple[str, ...], why: str) -> None:
    code, said = await paperwire("nats://127.0.0.1:9", "backfill", *arguments)

    assert code == 2
    assert why in said


def test_the_same_arguments_have_the_same_name() -> None:
    first, last = date(2025, 12, 1), date(2025, 12, 31)

    assert name_of(first, last, "cs:cs:LG", Form.raw) == "cs:cs:LG.2025-12-01.2025-12-31"
    assert name_of(first, last, None, Form.plain) == "all.2025-12-01.2025-12-31.arXiv"


def test_speed_and_time_left_are_estimated_from_what_was_seen() -> None:
    estimate = Estimate()
    half = [FetchProgressed(order="a", step=n, state="running", papers=papers) for n, papers in enumerate((100, 600))]

    assert estimate.seconds_left(half[0], 0.1, 10.0) is None
    assert estimate.seconds_left(half[1], 0.6, 20.0) == pytest.approx(8.0)
    assert estimate.rate(half[1], 20.0) == 50.0
    counted = half[1].model_copy(update={"total": 1600})
    assert estimate.seconds_left(counted, 0.5, 20.0) == 20.0
    assert describe(counted, 50.0, 20.0) == "600 of 1,600 papers · 50 papers/s · 0:20 left"
    assert (clock(59.6), clock(3723)) == ("1:00", "1:02:03")
