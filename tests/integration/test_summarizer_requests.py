"""How a request changes until the server takes it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from services.summarizer.llm import Endpoint, Model
from services.summarizer.llm_call import Patience
from services.summarizer.llm_errors import Refused
from services.summarizer.llm_plan import Message, Plan
from services.summarizer.llm_reply import Reply
from services.summarizer.styles.structured import SCHEMA, build
from tests.builders import a_paper
from tests.llm_server import SUMMARY, Answer, LlmServer, Request, error, known_error, reply

GOOD = json.dumps(SUMMARY)
KEY = "sk-quite-secret-0815"
TOO_LONG = ("llama-server", "vLLM", "llama-cpp-python", "DashScope", "Gemini")
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


def formats(server: LlmServer) -> list[str]:
    return [request.get("response_format", {}).get("type", "plain") for request in server.requests]


def only(wanted: str, refusal: Answer) -> Callable[[Request], Answer | None]:
    """A server that refuses every response format but one."""

    def rule(request: Request) -> Answer | None:
        return None if request.get("response_format", {}).get("type", "plain") == wanted else refusal

    return rule


@pytest.mark.parametrize(
    ("wanted", "refusal", "tried"),
    [
        ("json_object", known_error("DeepSeek", "json_schema"), ["json_schema", "json_object"]),
        ("json_object", known_error("llama-cpp-python", "json_schema"), ["json_schema", "json_object"]),
        ("plain", known_error("llama-server", "unknown format"), ["json_schema", "json_object", "plain"]),
        ("plain", error(422, {"detail": "response_format is unknown"}), ["json_schema", "json_object", "plain"]),
    ],
)
async def test_a_refused_format_is_asked_for_more_weakly_and_remembered(
    opened: AsyncExitStack, wanted: str, refusal: Answer, tried: list[str]
) -> None:
    server = LlmServer(rule=only(wanted, refusal))
    model = await a_model(opened, server)

    await ask(model)
    await ask(model)

    assert formats(server) == [*tried, wanted]


async def test_a_format_is_not_given_up_for_a_request_that_failed_anyway(opened: AsyncExitStack) -> None:
    server = LlmServer(known_error("vLLM", "grammar"), known_error("vLLM", "wrong key"))
    model = await a_model(opened, server)

    with pytest.raises(Refused):
        await ask(model)
    await ask(model)

    assert formats(server) == ["json_schema", "json_object", "json_schema"]


async def test_refused_parameters_are_changed_and_the_change_remembered(opened: AsyncExitStack) -> None:
    refused_temperature = error(400, {"error": {"message": "Unsupported value: 'temperature' does not support 0.2"}})
    server = LlmServer(known_error("OpenAI", "reasoning model"), refused_temperature)
    model = await a_model(opened, server)

    await ask(model)
    await ask(model)

    assert "max_completion_tokens" in server.requests[1]
    last = server.requests[3]
    assert last["max_completion_tokens"] == 2000
    assert not {"temperature", "max_tokens"} & set(last)


@pytest.mark.parametrize(
    "refusal",
    [
        known_error(server, "too long") for server in TOO_LONG
    ] + [known_error("LiteLLM", "context")],
)  # fmt: skip
async def test_a_text_that_is_too_long_is_cut_at_most_twice(opened: AsyncExitStack, refusal: Answer) -> None:
    server = LlmServer(refusal, refusal)
    model = await a_model(opened, server)

    await ask(model, abstract="word " * 4000)

    lengths = [len(request["messages"][1]["content"]) for request in server.requests]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[2] * 4 <= lengths[0] + 100
    assert all(request["messages"][1]["content"].endswith("in English.") for request in server.requests)


async def test_an_answer_that_has_no_room_beside_the_text_is_asked_to_be_shorter(opened: AsyncExitStack) -> None:
    server = LlmServer(known_error("vLLM, older", "no room for the answer"))

    await ask(await a_model(opened, server))

    first, second = server.requests
    assert (first["max_tokens"], second["max_tokens"]) == (2000, 256)
    assert first["messages"] == second["messages"]


async def test_a_text_that_stays_too_long_is_refused(opened: AsyncExitStack) -> None:
    server = LlmServer(rule=lambda _: known_error("DashScope", "too long"))

    with pytest.raises(Refused) as caught:
        await ask(await a_model(opened, server), abstract="word " * 4000)

    assert caught.value.reason == "context"
    assert len(server.requests) == 3


async def test_an_answer_without_end_is_asked_for_once_more_with_room_and_without_a_grammar(
    opened: AsyncExitStack,
) -> None:
    server = LlmServer(reply('{"tldr": "' + " " * 500, finish="length"))
    model = await a_model(opened, server)

    got = await ask(model)
    await ask(model)

    assert [request["max_tokens"] for request in server.requests] == [2000, 8000, 2000]
    assert formats(server) == ["json_schema", "plain", "json_schema"]
    assert (got.prompt_tokens, got.completion_tokens) == (1200, 300)


async def test_an_answer_that_never_ends_is_refused(opened: AsyncExitStack) -> None:
    server = LlmServer(rule=lambda _: reply('{"tldr"', finish="length"))

    with pytest.raises(Refused) as caught:
        await ask(await a_model(opened, server))

    assert caught.value.reason == "length"
    assert len(server.requests) == 2


async def test_more_room_than_the_server_has_is_taken_back(opened: AsyncExitStack) -> None:
    def rule(request: Request) -> Answer | None:
        return known_error("vLLM", "max_tokens") if request["max_tokens"] > 4096 else None

    server = LlmServer(reply("", finish="length"), rule=rule)

    await ask(await a_model(opened, server))

    assert [request["max_tokens"] for request in server.requests] == [2000, 8000, 2000]
