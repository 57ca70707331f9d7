"""From a server's 200 to a usable reply, or what is wrong with it. Nothing about its shape is taken for granted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.summarizer.llm_errors import Trouble, classify, error_in

LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, and what it cost (all calls that led to it)."""

    text: str
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str | None = None


def decode(body: bytes, headers: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """The body as an object with choices; `Trouble` where it is HTML, cut, or an error dressed as a success."""
    text = body.decode("utf-8", "replace")
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        raise Trouble("garbage", f"HTTP 200 but not JSON: {text}") from None
    error = error_in(payload)
    if error:
        raise classify(error[0], headers, error[1], now)
    if not isinstance(payload, dict):
        raise Trouble("garbage", f"HTTP 200 without an answer: {text}")
    return payload


def usage(payload: Mapping[str, Any]) -> tuple[int, int]:
    """Prompt and completion tokens; 0 where the server does not count."""
    counts = payload.get("usage")
    counts = counts if isinstance(counts, dict) else {}
    return _count(counts.get("prompt_tokens")), _count(counts.get("completion_tokens"))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value < 1_000_000_000 else 0


def read(payload: Mapping[str, Any], schema: Mapping[str, Any]) -> Reply:
    """The reply; `Trouble` where it is empty, cut at its token limit, or a refusal."""
    choice = _first(payload.get("choices"))
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    finish = choice.get("finish_reason")
    text = _text(message.get("content"))
    reasoning = _text(message.get("reasoning_content") or message.get("reasoning"))
    if finish == "length":
        raise Trouble("length", f"cut after {len(text)} characters, {len(text.strip())} without white space")
    if finish == "content_filter" or message.get("refusal"):
        raise Trouble("refused", f"the model declined: {_text(message.get('refusal'))}")
    if not text.strip():
        text = reasoning if _fits(reasoning, schema) else ""
    if not text.strip():
        raise Trouble("blank", "thinking, but no answer" if reasoning else "no content")
    prompt, completion = usage(payload)
    return Reply(text[:LONGEST], _text(payload.get("model")), prompt, completion, _text(finish) or None)


def _first(choices: Any) -> dict[str, Any]:
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        raise Trouble("blank", "no choices in the answer")
    return first


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _fits(reasoning: str, schema: Mapping[str, Any]) -> bool:
    """Whether it holds the JSON that was asked for (servers whose reasoning parser does not fit the model)."""
    return bool(reasoning) and all(f'"{key}"' in reasoning for key in schema.get("required", ("\0",)))
