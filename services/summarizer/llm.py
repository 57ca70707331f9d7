"""One model behind an OpenAI-compatible endpoint: ask it, learn what its server accepts, wait when it says so.

The only retry policy lies here: openai's own is switched off, because it retries what a weaker request would mend.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from services.summarizer.gate import Gate
from services.summarizer.llm_call import Call, Patience
from services.summarizer.llm_errors import LATER, Later, Reason, Refused, Trouble, classify, shown
from services.summarizer.llm_plan import Message, Plan
from services.summarizer.llm_reply import Reply, decode, read, usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

LARGEST_BODY = 4 * 1024 * 1024
CHARACTERS_PER_TOKEN = 12
"""Far more than any text has: a server that counts fewer tokens than this gives has cut the prompt."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and the key to it."""

    base_url: str
    api_key: str
    model: str


PATIENCE = Patience()


class Model:
    """Ask with `complete`. Open it (`async with`) first; it may be called from many lanes at once."""

    def __init__(
        self,
        endpoint: Endpoint,
        plan: Plan,
        patience: Patience = PATIENCE,
        *,
        on_trouble: Callable[[Reason], None] = lambda _: None,
        on_tokens: Callable[[int, int], None] = lambda _, __: None,
    ) -> None:
        self.name = endpoint.model
        self.patience = patience
        self.gate = Gate()
        self.plan = plan
        """What this server is known to accept; replaced when a changed request has been answered."""
        self._endpoint = endpoint
        self._on_trouble = on_trouble
        self._on_tokens = on_tokens
        self._client: AsyncOpenAI | None = None
        self._told: set[str] = set()
        self._just_failed = False

    async def __aenter__(self) -> Self:
        from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

        self._client = AsyncOpenAI(
            api_key=self._endpoint.api_key,
            base_url=self._endpoint.base_url,
            max_retries=0,
            timeout=self.patience.timeout,
            http_client=DefaultAsyncHttpx2Client(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def complete(self, messages: Sequence[Message], *, schema: Mapping[str, Any]) -> Reply:
        """The model's reply. `Later`: try again in a while; `Refused`: this model will not answer this."""
        call = Call(messages, self.plan, self.patience, self.gate)
        while True:
            try:
                async with self.gate:
                    payload = await self._ask(call, schema)
                reply = read(payload, schema)
            except Trouble as trouble:
                self._record(trouble)
                if not self._stale_connection(trouble) and not await call.after(trouble):
                    raise self._given_up(trouble) from trouble
            else:
                self.plan = call.plan
                self.gate.welcome()
                self._look_at(reply, call.messages)
                return replace(reply, prompt_tokens=call.prompt_tokens, completion_tokens=call.completion_tokens)

    async def _ask(self, call: Call, schema: Mapping[str, Any]) -> dict[str, Any]:
        """One request, one answer, within the time limit."""
        import httpx2
        import openai

        try:
            async with asyncio.timeout(self.patience.timeout):
                body, headers = await self._exchange(call.messages, call.fields(schema))
        except openai.APIStatusError as error:
            body_text = await _error_text(error)
            raise classify(error.status_code, error.response.headers, body_text, datetime.now(UTC)) from error
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException) as error:
            raise Trouble("timeout", f"no complete answer in {self.patience.timeout:g} s") from error
        except (openai.APIError, httpx2.HTTPError) as error:
            raise Trouble("connection", f"{error!r} {error.__cause__ or ''}") from error
        payload = decode(body, headers, datetime.now(UTC))
        call.count(*usage(payload))
        self._on_tokens(*usage(payload))
        return payload

    async def _exchange(self, messages: Sequence[Message], fields: dict[str, Any]) -> tuple[bytes, Mapping[str, str]]:
        assert self._client is not None, "open the model first: async with Model(...)"
        body = bytearray()
        create = self._client.chat.completions.with_streaming_response.create
        content: Any = [dict(message) for message in messages]
        async with create(model=self.name, messages=content, **fields) as response:
            async for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise Trouble("garbage", f"the answer is longer than {LARGEST_BODY} bytes")
            return bytes(body), response.headers

    def _record(self, trouble: Trouble) -> None:
        self._on_trouble(trouble.reason)
        detail = shown(str(trouble), self._endpoint.api_key)
        log.info("model call failed", extra={"model": self.name, "reason": trouble.reason, "detail": detail})

    def _stale_connection(self, trouble: Trouble) -> bool:
        """Whether this is only a pooled connection that died with the server error before it."""
        stale = trouble.reason == "connection" and self._just_failed
        self._just_failed = trouble.status == 500
        return stale

    def _look_at(self, reply: Reply, messages: Sequence[Message]) -> None:
        """Warn once when another model answered, or when the server has silently cut the prompt."""
        self._just_failed = False
        if reply.model and not same_model(self.name, reply.model):
            self._warn_once("another model answered", answered=shown(reply.model))
        sent = sum(len(message["content"]) for message in messages)
        if 0 < reply.prompt_tokens < sent / CHARACTERS_PER_TOKEN:
            self._warn_once("the server cut the prompt: give the model a larger context")

    def _warn_once(self, event: str, **data: object) -> None:
        if event not in self._told:
            self._told.add(event)
            log.warning(event, extra={"model": self.name, **data})

    def _given_up(self, trouble: Trouble) -> Exception:
        """The error for the caller, without the server's secrets."""
        safe = Trouble(trouble.reason, shown(trouble.detail, self._endpoint.api_key))
        return Later(safe, self.name) if trouble.reason in LATER else Refused(safe, self.name)


async def _error_text(error: Any) -> str:
    with suppress(Exception):
        return str((await error.response.aread()).decode("utf-8", "replace"))[:20_000]
    return json.dumps(error.body)


def same_model(asked: str, answered: str) -> bool:
    """`gpt-4o` and `gpt-4o-2024-08-06`, `openai/gpt-4o` and `gpt-4o` are the same."""
    return answered.startswith(asked) or asked.endswith(answered)
