"""The pool on a real NATS server: every request is answered exactly once, whoever dies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from services.summarizer.app import build
from services.summarizer.llm_call import Patience
from services.summarizer.settings import Settings
from shared.bus import Bus
from shared.messages import SummaryCompleted, SummaryRequested
from shared.metrics import Metrics
from shared.service import Service
from shared.settings import ServiceSettings
from tests.builders import a_paper
from tests.llm_server import LlmServer, error, html, reply
from tests.waiting import eventually

QUICK = Patience(timeout=10, tries=2, base_delay=0.01, longest_delay=0.05)


def a_pool_member(nats_url: str, llm: LlmServer | None = None, **given: Any) -> Service:
    model = {"llm_base_url": llm.url, "llm_model": "tiny"} if llm else {}
    settings = Settings(nats_url=nats_url, probe_port=0, **{**model, **given})
    return build(settings, patience=QUICK, retry_delay=lambda _: 0.05)


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    made = Bus(ServiceSettings(nats_url=nats_url), "test", Metrics("test"))
    await made.connect()
    try:
        yield made
    finally:
        await made.stop()


async def request(bus: Bus, count: int) -> list[str]:
    papers = [a_paper(id=f"2512.{number:05d}") for number in range(count)]
    await bus.publish(*(SummaryRequested(paper=paper, style="structured", language="en") for paper in papers))
    return [paper.id for paper in papers]


async def answers(bus: Bus) -> list[SummaryCompleted]:
    return [received.event async for received in bus.read(SummaryCompleted)]


async def all_answers(bus: Bus, count: int) -> list[SummaryCompleted]:
    async def enough() -> list[SummaryCompleted]:
        got = await answers(bus)
        return got if len(got) >= count else []

    return await eventually(enough, timeout=30, message=f"{count} answers did not come")


@asynccontextmanager
async def running(*services: Service) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for service in services:
            await stack.enter_async_context(service)
        yield


async def test_a_pool_answers_each_request_exactly_once(nats_url: str, bus: Bus) -> None:
    async with LlmServer() as llm:
        asked = await request(bus, 40)
        async with running(a_pool_member(nats_url, llm), a_pool_member(nats_url, llm)):
            got = await all_answers(bus, 40)

    assert Counter(answer.paper_id for answer in got) == Counter(asked)
    assert {answer.made_by for answer in got} == {"model"}
    assert len(llm.requests) == 40


async def test_a_lane_holds_one_request_at_a_time(nats_url: str, bus: Bus) -> None:
    async with LlmServer(rule=lambda asked: reply(model="tiny", hold=True)) as llm:
        await request(bus, 10)
        async with running(a_pool_member(nats_url, llm, lanes=3)):
            await eventually(lambda: llm.at_once == 3)
            llm.release()
            await all_answers(bus, 10)

    assert llm.most_at_once == 3


async def test_a_pool_on_a_bad_day_still_answers_everything(nats_url: str, bus: Bus) -> None:
    faults = [error(500, "Internal Server Error"), html(), error(429, "", retry_after="0.02"), reply("rubbish")]
    async with LlmServer(*faults * 3, *[reply(cut_after=20)] * 3) as llm:
        asked = await request(bus, 20)
        async with running(a_pool_member(nats_url, llm), a_pool_member(nats_url, llm)):
            got = await all_answers(bus, 20)

    assert Counter(answer.paper_id for answer in got) == Counter(asked)


async def test_a_dead_model_holds_nothing_back_and_buries_nothing(nats_url: str, bus: Bus) -> None:
    async with LlmServer(rule=lambda _: error(503, "")) as llm:
        await request(bus, 4)
        async with running(a_pool_member(nats_url, llm)):
            got = await all_answers(bus, 4)

    assert {(answer.made_by, answer.reason) for answer in got} == {("extraction", "the language model's server failed")}
    assert [letter async for letter in bus.read_dead(SummaryRequested)] == []


async def notice_deaths_quickly(bus: Bus) -> None:
    """Let the server give a dead process's request to another after one second."""
    info = await bus.js.consumer_info("PAPERS", "summarizer")
    assert info.config is not None
    await bus.js.add_consumer("PAPERS", info.config.evolve(ack_wait=1.0))


def a_process(nats_url: str, llm: LlmServer) -> subprocess.Popen[bytes]:
    given = {"NATS_URL": nats_url, "PROBE_PORT": "0", "LLM_BASE_URL": llm.url, "LLM_MODEL": "tiny", "LANES": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "services.summarizer"], env=os.environ | given, stderr=subprocess.DEVNULL
    )


async def test_when_a_process_is_killed_in_the_middle_of_a_call_another_answers(nats_url: str, bus: Bus) -> None:
    await notice_deaths_quickly(bus)
    async with LlmServer(reply(hold=True)) as llm:
        asked = await request(bus, 1)
        with a_process(nats_url, llm) as victim:
            await eventually(lambda: len(llm.requests) == 1, timeout=30)
            victim.kill()
        async with running(a_pool_member(nats_url, llm)):
            got = await all_answers(bus, 1)

    assert [answer.paper_id for answer in got] == asked
    assert len(llm.requests) == 2


async def test_without_a_model_everything_is_extracted(nats_url: str, bus: Bus) -> None:
    await request(bus, 5)
    async with running(a_pool_member(nats_url)):
        got = await all_answers(bus, 5)

    assert {(answer.made_by, answer.reason) for answer in got} == {("extraction", None)}


def test_without_a_model_openai_is_not_even_imported() -> None:
    code = (
        "import sys; from services.summarizer.app import build; from services.summarizer.settings import Settings; "
        "build(Settings(nats_url='nats://127.0.0.1:1')); print('openai' in sys.modules, 'httpx2' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
