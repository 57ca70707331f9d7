"""The summarizer: every `summaries.requested` is answered by exactly one `summaries.completed`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.summarizer.extract import extract
from services.summarizer.llm import Endpoint, Model
from services.summarizer.llm_call import Patience
from services.summarizer.llm_errors import WORDS, Later, Refused
from services.summarizer.llm_plan import Plan
from services.summarizer.llm_reply import Reply
from services.summarizer.measures import Measures, Outcome
from services.summarizer.settings import Settings
from services.summarizer.styles import structured
from services.summarizer.styles.structured import BadReply
from services.summarizer.texts import TextReader, no_text
from shared.bus import Bus, Outgoing, Received
from shared.messages import StructuredSummary, SummaryCompleted, SummaryRequested
from shared.metrics import Metrics
from shared.service import Service

log = logging.getLogger(__name__)

DURABLE = "summarizer"
PATIENT_ATTEMPTS = 4
"""From this delivery on a model that is in trouble is no longer waited for; the bus gives up after five."""


def build(
    settings: Settings,
    *,
    patience: Patience | None = None,
    retry_delay: Callable[[int], float] | None = None,
) -> Service:
    """The service, not yet started."""
    metrics = Metrics("summarizer")
    bus = Bus(settings, "summarizer", metrics, **({"retry_delay": retry_delay} if retry_delay else {}))
    measures = Measures(metrics)
    models = [_model(settings, name, patience, measures) for name in settings.models]
    summarizer = Summarizer(models, measures, TextReader(bus, settings.llm_text_chars))
    bus.on(SummaryRequested, DURABLE, summarizer.handler(bus.publish), lanes=settings.lanes)
    log.info("summaries are made by", extra={"models": settings.models or ("extraction",), "lanes": settings.lanes})
    return Service("summarizer", settings, bus, metrics, resources=models)


def _model(settings: Settings, name: str, patience: Patience | None, measures: Measures) -> Model:
    return Model(
        Endpoint(settings.base_url, settings.api_key, name),
        Plan(settings.llm_max_tokens, settings.llm_temperature),
        patience or Patience(timeout=settings.llm_timeout),
        on_trouble=measures.error,
        on_tokens=measures.tokens,
    )


@dataclass(slots=True)
class Work:
    """One request in hand: what it has cost, and why a model could not do it."""

    request: SummaryRequested
    attempt: int
    text: str = ""
    """What the model reads beside the abstract."""
    reason: str | None = None
    replies: list[Reply] = field(default_factory=list)

    def completed(self, **values: Any) -> SummaryCompleted:
        """The answer, with the identity of the request and all tokens spent on it."""
        return SummaryCompleted(
            paper_id=self.request.paper.id,
            version=self.request.paper.version,
            style=self.request.style,
            language=self.request.language,
            prompt_tokens=sum(reply.prompt_tokens for reply in self.replies),
            completion_tokens=sum(reply.completion_tokens for reply in self.replies),
            **values,
        )


class Summarizer:
    """Asks the models in order, then extracts, then says why there is no summary."""

    def __init__(
        self, models: Sequence[Model], measures: Measures, read: Callable[[str], Awaitable[str]] = no_text
    ) -> None:
        self._models = models
        self._read = read
        self._measures = measures

    def handler(
        self, publish: Callable[[Outgoing], Awaitable[Any]]
    ) -> Callable[[Received[SummaryRequested]], Awaitable[None]]:
        """What to do with a request on the bus."""

        async def handle(received: Received[SummaryRequested]) -> None:
            with self._measures.seconds.time():
                completed, outcome = await self.answer(received.event, received.attempt)
                await publish(received.then(completed))
            self._measures.summary(outcome)

        return handle

    async def answer(self, request: SummaryRequested, attempt: int = 1) -> tuple[SummaryCompleted, Outcome]:
        """The one answer to a request; raises only `Later`, on an early attempt, and `Unavailable`."""
        work = Work(request, attempt)
        if request.text_key and self._models:
            work.text = await self._read(request.text_key)
        if not (request.paper.abstract.strip() or work.text):
            return work.completed(reason="the paper has no abstract"), "none"
        for model in self._models:
            summary = await self._ask(model, work)
            if summary is not None:
                return self._by_model(model, work, summary)
        return self._extracted(work)

    async def _ask(self, model: Model, work: Work) -> StructuredSummary | None:
        """The model's summary, or None with `work.reason` set. Early trouble with the first model is raised."""
        messages = structured.build(work.request.paper, work.request.language, work.text)
        try:
            return await self._understood(model, work, messages)
        except Later as error:
            if model is self._models[0] and work.attempt < PATIENT_ATTEMPTS:
                raise
            work.reason = WORDS[error.reason]
        except Refused as error:
            log.warning("model refused", extra={"paper": work.request.about, "reason": str(error)})
            work.reason = WORDS[error.reason]
        except BadReply as error:
            log.warning("no usable reply", extra={"paper": work.request.about, "reason": str(error)})
            work.reason = "the language model's answer was not usable"
        return None

    async def _understood(self, model: Model, work: Work, messages: Sequence[structured.Message]) -> StructuredSummary:
        """A reply that could be parsed, after at most one repair."""
        reply = await self._reply(model, work, messages)
        try:
            return structured.parse(reply.text)
        except BadReply as error:
            self._measures.error("bad_reply")
            reply = await self._reply(model, work, structured.repair(messages, reply.text, error))
        try:
            return structured.parse(reply.text)
        except BadReply:
            self._measures.error("bad_reply")
            raise

    async def _reply(self, model: Model, work: Work, messages: Sequence[structured.Message]) -> Reply:
        reply = await model.complete(messages, schema=structured.SCHEMA)
        work.replies.append(reply)
        return reply

    def _by_model(self, model: Model, work: Work, summary: StructuredSummary) -> tuple[SummaryCompleted, Outcome]:
        completed = work.completed(
            summary=summary,
            made_by="model",
            model=model.name,
            source="full text" if work.text else "abstract",
            prompt_version=structured.PROMPT_VERSION_TEXT if work.text else structured.PROMPT_VERSION,
        )
        if model is not self._models[0]:
            return completed, "fallback"
        return completed, "model" if len(work.replies) == 1 else "repaired"

    def _extracted(self, work: Work) -> tuple[SummaryCompleted, Outcome]:
        language = work.request.language
        if language.partition("-")[0].lower() != "en":
            reason = work.reason or f"a summary in the language {language} needs a language model"
            return work.completed(reason=reason), "none"
        summary = extract(work.request.paper)
        if summary is None:
            return work.completed(reason=work.reason or "the abstract has no sentence to take"), "none"
        return work.completed(summary=summary, made_by="extraction", reason=work.reason), "extraction"
