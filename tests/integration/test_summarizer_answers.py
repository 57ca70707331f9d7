"""What a request is answered with, whatever the model's server does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.summarizer.app import PATIENT_ATTEMPTS, Summarizer
from services.summarizer.llm import Endpoint, Model
from services.summarizer.llm_call import Patience
from services.summarizer.llm_errors import Later
from services.summarizer.llm_plan import Plan
from services.summarizer.measures import Measures
from services.summarizer.styles.structured import PROMPT_VERSION
from shared.messages import StructuredSummary, SummaryCompleted, SummaryRequested
from shared.metrics import Metrics
from tests.builders import a_paper
from tests.llm_server import SUMMARY, Answer, LlmServer, Request, error, reply

QUICK = Patience(timeout=5, tries=2, base_delay=0.01, longest_delay=0.05)
RUBBISH = reply("I would rather talk about the weather.")
DOWN = error(503, "")


def a_request(language: str = "en", **paper: Any) -> SummaryRequested:
    return SummaryRequested(paper=a_paper(**paper), style="structured", language=language)


class Desk:
    """A summarizer with its models and its numbers."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.metrics = Metrics("summarizer")
        self.measures = Measures(self.metrics)

    async def answer(
        self, server: LlmServer, *models: str, attempt: int = 1, request: SummaryRequested | None = None
    ) -> tuple[SummaryCompleted, str]:
        await self._stack.enter_async_context(server)
        opened = [await self._model(server, name) for name in models]
        return await Summarizer(opened, self.measures).answer(request or a_request(), attempt)

    async def _model(self, server: LlmServer, name: str) -> Model:
        measures = self.measures
        endpoint = Endpoint(server.url, "none", name)
        model = Model(endpoint, Plan(2000, None), QUICK, on_trouble=measures.error, on_tokens=measures.tokens)
        return await self._stack.enter_async_context(model)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        yield Desk(stack)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


async def test_the_models_summary_says_who_made_it(desk: Desk) -> None:
    completed, outcome = await desk.answer(LlmServer(), "tiny")

    assert completed == SummaryCompleted(
        paper_id="2512.08242",
        version=1,
        style="structured",
        language="en",
        summary=StructuredSummary(**SUMMARY),
        made_by="model",
        model="tiny",
        prompt_version=PROMPT_VERSION,
        prompt_tokens=600,
        completion_tokens=150,
    )
    assert outcome == "model"
    assert value(desk.metrics.registry, "paperwire_llm_tokens_total", kind="completion") == 150


@pytest.mark.parametrize(
    "content",
    [
        "<think>They want JSON.</think>" + json.dumps(SUMMARY),
        f"```json\n{json.dumps(SUMMARY)}\n```",
        json.dumps(SUMMARY, indent=40),
    ],
)
async def test_a_wrapped_answer_needs_no_repair(desk: Desk, content: str) -> None:
    completed, outcome = await desk.answer(LlmServer(reply(content)), "tiny")

    assert (completed.summary, outcome) == (StructuredSummary(**SUMMARY), "model")


async def test_rubbish_is_repaired_once(desk: Desk) -> None:
    server = LlmServer(RUBBISH)

    completed, outcome = await desk.answer(server, "tiny")

    assert (completed.made_by, outcome) == ("model", "repaired")
    assert completed.prompt_tokens == 1200
    assert "it holds no JSON object" in server.requests[1]["messages"][-1]["content"]
    assert value(desk.metrics.registry, "paperwire_llm_errors_total", reason="bad_reply") == 1


async def test_rubbish_twice_is_answered_with_an_extraction(desk: Desk) -> None:
    server = LlmServer(rule=lambda _: RUBBISH)

    completed, outcome = await desk.answer(server, "tiny")

    assert (completed.made_by, outcome) == ("extraction", "extraction")
    assert completed.summary is not None
    assert completed.summary.tldr == "We present Chopper."
    assert completed.reason == "the language model's answer was not usable"
    assert completed.model is None
    assert len(server.requests) == 2


async def test_a_wrong_key_is_answered_with_an_extraction_that_does_not_tell_it(desk: Desk) -> None:
    server = LlmServer(rule=lambda _: error(401, {"error": {"message": "Incorrect API key provided: sk-abcdefgh"}}))

    completed, outcome = await desk.answer(server, "tiny")

    assert (completed.made_by, outcome) == ("extraction", "extraction")
    assert completed.reason == "the language model's server refused the key"
    assert len(server.requests) == 1


async def test_trouble_that_may_pass_is_left_to_a_later_delivery(desk: Desk) -> None:
    with pytest.raises(Later):
        await desk.answer(LlmServer(rule=lambda _: DOWN), "tiny", "small", attempt=PATIENT_ATTEMPTS - 1)


async def test_trouble_that_does_not_pass_ends_in_an_extraction(desk: Desk) -> None:
    completed, outcome = await desk.answer(LlmServer(rule=lambda _: DOWN), "tiny", attempt=PATIENT_ATTEMPTS)

    assert (completed.made_by, outcome) == ("extraction", "extraction")
    assert completed.reason == "the language model's server failed"


def only(model: str, other: Answer) -> LlmServer:
    def rule(request: Request) -> Answer | None:
        return None if request["model"] == model else other

    return LlmServer(rule=rule)


@pytest.mark.parametrize(
    ("fault", "attempt"),
    [(error(404, {"error": {"message": "model 'tiny' not found"}}), 1), (RUBBISH, 1), (DOWN, PATIENT_ATTEMPTS)],
)
async def test_the_second_model_answers_when_the_first_cannot(desk: Desk, fault: Answer, attempt: int) -> None:
    completed, outcome = await desk.answer(only("small", fault), "tiny", "small", attempt=attempt)

    assert (completed.made_by, completed.model, outcome) == ("model", "small", "fallback")
    assert completed.reason is None


async def test_trouble_of_the_second_model_is_not_waited_for(desk: Desk) -> None:
    refused = error(403, "")

    def rule(request: Request) -> Answer:
        return refused if request["model"] == "tiny" else DOWN

    completed, outcome = await desk.answer(LlmServer(rule=rule), "tiny", "small", attempt=1)

    assert outcome == "extraction"
    assert completed.reason == "the language model's server failed"


async def test_without_a_model_the_summary_is_extracted_and_gives_no_excuse(desk: Desk) -> None:
    server = LlmServer()

    completed, outcome = await desk.answer(server)

    assert (completed.made_by, completed.reason, outcome) == ("extraction", None, "extraction")
    assert not server.requests


async def test_a_paper_without_an_abstract_is_not_sent_to_a_model(desk: Desk) -> None:
    server = LlmServer()

    completed, outcome = await desk.answer(server, "tiny", request=a_request(abstract=" \n"))

    assert (completed.summary, completed.reason, outcome) == (None, "the paper has no abstract", "none")
    assert not server.requests


async def test_an_english_abstract_is_no_extraction_in_another_language(desk: Desk) -> None:
    completed, outcome = await desk.answer(LlmServer(), request=a_request("zh"))

    assert (completed.summary, completed.language, outcome) == (None, "zh", "none")
    assert completed.reason == "a summary in the language zh needs a language model"


async def test_the_same_request_gets_the_same_bytes(desk: Desk) -> None:
    first, _ = await desk.answer(LlmServer())
    second, _ = await desk.answer(LlmServer())

    assert first.model_dump_json() == second.model_dump_json()


def test_every_known_series_starts_at_zero(desk: Desk) -> None:
    registry = desk.metrics.registry

    assert value(registry, "paperwire_summaries_total", outcome="extraction") == 0
    assert value(registry, "paperwire_llm_errors_total", reason="rate_limit") == 0
    assert value(registry, "paperwire_llm_tokens_total", kind="prompt") == 0
    assert value(registry, "paperwire_summarize_seconds_count") == 0
