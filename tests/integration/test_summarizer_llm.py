"""One model behind a real HTTP server with the faults of real ones."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from services.summarizer.llm import Endpoint, Model
from services.summarizer.llm_call import Patience
from services.summarizer.llm_errors import Later, Refused
from services.summarizer.llm_plan import Message, Plan
from services.summarizer.llm_reply import Reply
from services.summarizer.styles.structured import SCHEMA, build
from tests.builders import a_paper
from tests.llm_server import SUMMARY, Answer, LlmServer, error, html, known_error, reply
from tests.waiting import eventually

GOOD = json.dumps(SUMMARY)
KEY = "sk-quite-secret-0815"
QUICK = Patience(timeout=5, tries=3, base_delay=0.01, longest_delay=0.2, loading=5)


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def a_model(stack: AsyncExitStack, server: LlmServer, patience: Patience = QUICK, **given: Any) -> Model:
    await stack.enter_async_context(server)
    model = Model(Endpoint(server.url, KEY, "tiny"), Plan(2000, 0.2), patience, **given)
    return await stack.enter_async_context(model)


async def ask(model: Model, abstract: str = "We present Chopper.") -> Reply:
    messages: list[Message] = build(a_paper(abstract=abstract), "en")
    return await model.complete(messages, schema=SCHEMA)


async def test_a_good_answer_is_a_reply_with_its_cost(opened: AsyncExitStack) -> None:
    server = LlmServer()

    got = await ask(await a_model(opened, server))

    assert got == Reply(GOOD, "tiny", 600, 150, "stop")
    assert set(server.requests[0]) == {"model", "messages", "max_tokens", "temperature", "response_format"}
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "fault",
    [
        error(500, "Internal Server Error"),
        error(503, ""),
        error(408, {"error": {"message": "litellm.Timeout", "type": "invalid_request_error", "code": "408"}}),
        error(529, {"error": {"message": "Overloaded"}}),
        html(),
        error(200, {"error": {"message": "upstream failed", "code": 502}}),
        reply(cut_after=40),
        reply(cut_after=0),
        error(429, {"error": {"message": "slow down"}}),
        error(429, {"error": {"message": "slow down"}}, retry_after="0.02"),
        error(429, "", retry_after_ms="20"),
        error(429, "", retry_after="Fri, 20 Nov 2020 09:12:07 GMT"),
        error(429, "", llm_provider_retry_after="0.02"),
        error(429, {"error": {"message": "Please try again in 20ms."}}),
        error(429, {"error": {"details": [{"retryDelay": "0.02s"}]}}),
        error(429, [{"error": {"details": [{"retryDelay": "0.02s"}]}}]),
        error(429, "Limit resets at: 2020-11-20 09:12:30 UTC"),
        reply(""),
        reply(None, reasoning_content="thinking", finish="stop"),
        error(200, {"id": "x", "choices": None}),
    ],
)
async def test_a_passing_fault_is_followed_by_another_try(opened: AsyncExitStack, fault: Answer) -> None:
    server = LlmServer(fault)

    got = await ask(await a_model(opened, server))

    assert got.text == GOOD
    assert len(server.requests) == 2


async def test_a_lasting_fault_is_left_for_later_after_the_last_try(opened: AsyncExitStack) -> None:
    server = LlmServer(rule=lambda _: error(500, "Internal Server Error"))

    with pytest.raises(Later) as caught:
        await ask(await a_model(opened, server))

    assert caught.value.reason == "server"
    assert len(server.requests) == QUICK.tries


async def test_a_connection_that_died_with_a_500_costs_no_try(opened: AsyncExitStack) -> None:
    server = LlmServer(error(500, "Internal Server Error"), reply(cut_after=0))

    got = await ask(await a_model(opened, server, replace(QUICK, tries=2)))

    assert got.text == GOOD


async def test_a_server_that_is_not_there_is_left_for_later(opened: AsyncExitStack) -> None:
    async with LlmServer() as gone:
        url = gone.url
    model = await opened.enter_async_context(Model(Endpoint(url, KEY, "tiny"), Plan(2000, None), QUICK))

    with pytest.raises(Later) as caught:
        await ask(model)

    assert caught.value.reason == "connection"


async def test_a_loading_model_is_waited_for_without_counting_tries(opened: AsyncExitStack) -> None:
    server = LlmServer(*[known_error("llama-server", "loading")] * 6)

    got = await ask(await a_model(opened, server, replace(QUICK, longest_delay=0.01)))

    assert got.text == GOOD


async def test_a_model_that_never_loads_is_left_for_later(opened: AsyncExitStack) -> None:
    server = LlmServer(rule=lambda _: known_error("llama-server", "loading"))

    with pytest.raises(Later) as caught:
        await ask(await a_model(opened, server, replace(QUICK, loading=0.05, longest_delay=0.01)))

    assert caught.value.reason == "loading"


async def test_a_dripping_server_is_cut_off_at_the_total_time_limit(opened: AsyncExitStack) -> None:
    server = LlmServer(reply(drip=0.02))
    began = time.monotonic()

    with pytest.raises(Later) as caught:
        await ask(await a_model(opened, server, replace(QUICK, timeout=0.2)))

    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (known_error("vLLM", "wrong key"), "auth"),
        (known_error("LiteLLM", "unknown model"), "refused"),
        (known_error("vLLM", "unknown model"), "refused"),
        (known_error("transformers serve", "unknown model"), "refused"),
        (known_error("DeepSeek", "no balance"), "quota"),
        (known_error("OpenAI", "no money"), "quota"),
        (known_error("Gemini", "per day"), "quota"),
        (reply(None, refusal="I cannot"), "refused"),
        (reply("", finish="content_filter"), "refused"),
    ],
)
async def test_a_final_refusal_is_not_tried_again(opened: AsyncExitStack, fault: Answer, reason: str) -> None:
    server = LlmServer(fault)

    with pytest.raises(Refused) as caught:
        await ask(await a_model(opened, server))

    assert caught.value.reason == reason
    assert len(server.requests) == 1


async def test_an_answer_longer_than_any_summary_is_not_read_to_its_end(opened: AsyncExitStack) -> None:
    server = LlmServer(rule=lambda _: Answer(reply().body + b" " * (5 * 1024 * 1024)))

    with pytest.raises(Later) as caught:
        await ask(await a_model(opened, server))

    assert caught.value.reason == "garbage"


async def test_during_a_rate_limit_no_other_lane_tries(opened: AsyncExitStack) -> None:
    server = LlmServer(error(429, "", retry_after="0.3"))
    model = await a_model(opened, server, replace(QUICK, longest_delay=5))
    began = time.monotonic()

    first = asyncio.create_task(ask(model))
    await eventually(lambda: len(server.requests) == 1)
    await eventually(lambda: server.at_once == 0)
    others = [asyncio.create_task(ask(model)) for _ in range(3)]
    await asyncio.gather(first, *others)

    assert len(server.requests) == 5
    assert time.monotonic() - began >= 0.3
    assert server.most_at_once == 1


async def test_a_wait_that_is_far_too_long_is_capped(opened: AsyncExitStack) -> None:
    server = LlmServer(error(429, "", retry_after="86400"))

    got = await asyncio.wait_for(ask(await a_model(opened, server)), timeout=5)

    assert got.text == GOOD


async def test_another_models_answer_is_reported_once(opened: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    server = LlmServer(rule=lambda _: reply(model="something-else"))
    model = await a_model(opened, server)

    await ask(model)
    await ask(model)

    assert [record.message for record in caplog.records].count("another model answered") == 1


async def test_a_prompt_that_the_server_cut_is_reported(
    opened: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    model = await a_model(opened, LlmServer(reply(tokens=(20, 10))))

    await ask(model)

    assert "the server cut the prompt: give the model a larger context" in [r.message for r in caplog.records]


async def test_the_key_is_never_logged(opened: AsyncExitStack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "services.summarizer")
    server = LlmServer(error(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}))

    with pytest.raises(Refused) as caught:
        await ask(await a_model(opened, server))

    told = [str(vars(record)) for record in caplog.records]
    assert told
    assert not [line for line in (*told, str(caught.value)) if KEY in line]


async def test_tokens_and_troubles_are_counted(opened: AsyncExitStack) -> None:
    tokens: list[tuple[int, int]] = []
    troubles: list[str] = []
    server = LlmServer(error(503, ""), reply("", tokens=None))
    model = await a_model(
        opened, server, on_tokens=lambda prompt, done: tokens.append((prompt, done)), on_trouble=troubles.append
    )

    await ask(model)

    assert troubles == ["server", "blank"]
    assert tokens == [(0, 0), (600, 150)]
