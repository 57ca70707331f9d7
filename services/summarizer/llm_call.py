"""One question to a model on its way through refusals and pauses: what to ask next, and when to stop asking."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.summarizer.gate import Gate
from services.summarizer.llm_errors import LATER, Trouble
from services.summarizer.llm_plan import Message, Plan, share_to_keep, shorter

MOST_CUTS = 2
MOST_CHANGES = 8
LARGER = 4


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to keep trying within one question."""

    timeout: float = 120.0
    """Seconds for one call, from the request to the last byte."""
    tries: int = 5
    base_delay: float = 1.0
    """Seconds; it doubles with every try."""
    longest_delay: float = 60.0
    loading: float = 300.0
    """Seconds to wait for a server that is loading its model."""


class Call:
    """The question as it is by now, and how much patience is left.

    `plan` is what was learnt about the server and stays true for later questions. After an answer that was
    empty or did not end, this question alone is asked once more with more room and without a grammar, since
    grammars make some models write white space for ever.
    """

    def __init__(self, messages: Sequence[Message], plan: Plan, patience: Patience, gate: Gate) -> None:
        self.messages: list[Message] = list(messages)
        self.plan = plan
        self.prompt_tokens = self.completion_tokens = 0
        self._patience = patience
        self._gate = gate
        self._relaxed = False
        self._room = 1
        self._tries = self._cuts = self._changes = 0
        self._loading_until = 0.0

    def fields(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The request's fields beside model and messages."""
        plan = replace(self.plan, max_tokens=self.plan.max_tokens * self._room)
        return (replace(plan, format="plain") if self._relaxed else plan).fields(schema)

    def count(self, prompt: int, completion: int) -> None:
        """Add what one answer cost, usable or not."""
        self.prompt_tokens += prompt
        self.completion_tokens += completion

    async def after(self, trouble: Trouble) -> bool:
        """Change the question or wait, so that asking again makes sense; False when it does not."""
        if self._changes < MOST_CHANGES and self._changed(trouble):
            self._changes += 1
            return True
        if trouble.reason not in LATER or trouble.reason == "timeout":
            return False
        return await self._wait(trouble)

    def _changed(self, trouble: Trouble) -> bool:
        """Whether the question could be changed into one that the server may like better."""
        match trouble.reason:
            case "parameter" | "context" if self._room > 1:
                self._room = 1
                return True
            case "format":
                return self._try(self.plan.one_rung_down())
            case "parameter":
                return self._try(self.plan.without(trouble.detail))
            case "context":
                return self._try(self.plan.within(trouble.detail)) or self._cut(trouble.detail)
            case "length" | "blank" if not self._relaxed:
                self._relaxed, self._room = True, LARGER
                return True
        return False

    def _try(self, plan: Plan | None) -> bool:
        self.plan = plan or self.plan
        return plan is not None

    def _cut(self, refusal: str) -> bool:
        cut = shorter(self.messages, share_to_keep(refusal)) if self._cuts < MOST_CUTS else None
        self._cuts += 1
        self.messages = cut or self.messages
        return cut is not None

    async def _wait(self, trouble: Trouble) -> bool:
        """Wait before the next try; during a rate limit or a start all other lanes wait, too."""
        again = self._may_try_again(trouble)
        delay = self._delay(trouble)
        if trouble.reason in {"rate_limit", "loading"}:
            self._gate.close(delay)
        elif again:
            await asyncio.sleep(delay)
        return again

    def _may_try_again(self, trouble: Trouble) -> bool:
        if trouble.reason == "loading":
            now = asyncio.get_running_loop().time()
            self._loading_until = self._loading_until or now + self._patience.loading
            return now < self._loading_until
        self._tries += 1
        return self._tries < self._patience.tries

    def _delay(self, trouble: Trouble) -> float:
        growing = self._patience.base_delay * 2 ** min(self._tries, 10) * random.uniform(0.75, 1)  # noqa: S311
        return min(growing if trouble.wait is None else trouble.wait, self._patience.longest_delay)
