"""What went wrong with a model server, told from its status, headers and whatever body it sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from services.summarizer.retry_after import delay
from shared.errors import Transient

Reason = Literal[
    "rate_limit", "quota", "loading", "server", "timeout", "connection", "auth", "refused", "context", "length",
    "blank", "garbage", "format", "parameter",
]  # fmt: skip
REASONS: tuple[Reason, ...] = get_args(Reason)
LATER = frozenset({"rate_limit", "loading", "server", "timeout", "connection", "blank", "garbage"})
WORDS: dict[str, str] = {
    "rate_limit": "the language model's rate limit was reached",
    "quota": "the language model's quota is used up",
    "loading": "the language model did not start in time",
    "server": "the language model's server failed",
    "timeout": "the language model did not answer in time",
    "connection": "the language model was not reachable",
    "auth": "the language model's server refused the key",
    "refused": "the language model's server refused the request",
    "context": "the text is too long for the language model",
    "length": "the language model's answer did not come to an end",
    "blank": "the language model's answer was empty",
    "garbage": "the language model's answer was unreadable",
    "format": "the language model's server refused the request",
    "parameter": "the language model's server refused the request",
}
"""For readers: constant words, so that no server's text, address or key gets into a feed."""

RETRIED = frozenset({408, 409, 425, 500, 502, 503, 504, 529, *range(520, 525)})
SHOWN = 300

_FORMAT = re.compile(r"response_format|json_schema|json_object|structured|grammar|schema|guided", re.IGNORECASE)
_CONTEXT = re.compile(
    r"exceed_context_size|context_length_exceeded|context[ _-]?(?:length|size|window)|maximum context|"
    r"too many tokens|input (?:length|token count)|Range of input length|prompt is too long|"
    r"\"param\": ?\"input_tokens\"",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"max_completion_tokens|max_tokens|temperature|max_model_len", re.IGNORECASE)
_SPENT = re.compile(
    r"insufficient_quota|billing_(?:hard_limit|not_active)|insufficient[ _-](?:balance|credit|funds)|"
    r"credit balance|PerDay|per-day|Arrearage|good standing|account_deactivated",
    re.IGNORECASE,
)
_MINUTE_QUOTA = re.compile(r"Throttling\.AllocationQuota|Allocated quota exceeded", re.IGNORECASE)
_BILLING = re.compile(r"check your plan and billing", re.IGNORECASE)
_LOADING = re.compile(r"loading model|model is (?:currently )?loading|warming up", re.IGNORECASE)
_SECRET = re.compile(r"(?i)(bearer\s+|api[_-]?key\S{0,3}\s*[:=]?\s*[\"']?|\bsk-|[?&]key=)([A-Za-z0-9_\-.*]{6,})")


class Trouble(Exception):  # noqa: N818 - named like those in shared.errors
    """One call to a model failed: why, how the server put it, and how long it asked us to wait."""

    def __init__(
        self, reason: Reason, detail: str = "", *, wait: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason: Reason = reason
        self.detail = detail
        self.wait = wait
        self.status = status


class Later(Transient):
    """The model may answer later. `reason` is one of `REASONS`."""

    def __init__(self, trouble: Trouble, model: str) -> None:
        super().__init__(f"model {model}: {trouble}")
        self.reason = trouble.reason


class Refused(Exception):  # noqa: N818 - named like those in shared.errors
    """This model will not answer this request, however often it is asked. `reason` is one of `REASONS`."""

    def __init__(self, trouble: Trouble, model: str) -> None:
        super().__init__(f"model {model}: {trouble}")
        self.reason = trouble.reason


def classify(status: int, headers: Mapping[str, str], body: str, now: datetime) -> Trouble:
    """What an answer that is not a success means."""
    reason, wait = _reason(status, headers, body, now)
    return Trouble(reason, f"HTTP {status}: {body}", wait=wait, status=status)


def _reason(status: int, headers: Mapping[str, str], body: str, now: datetime) -> tuple[Reason, float | None]:
    if status == 429:
        return _limited(body, delay(headers, body, now))
    if status in {401, 403}:
        return "auth", None
    if status == 402:
        return "quota", None
    named = _named(status, body)
    if named:
        return named, None
    if status not in RETRIED:
        return ("quota" if _SPENT.search(body) else "refused"), None
    loading = status == 503 and _LOADING.search(body)
    return ("loading" if loading else "server"), delay(headers, body, now)


def _named(status: int, body: str) -> Reason | None:
    """What the text blames, for statuses under which servers refuse a part of the request."""
    if status in {400, 413, 422, 500} and _CONTEXT.search(body):
        return "context"
    if status in {400, 404, 415, 422, 500, 501} and _FORMAT.search(body):
        return "format"
    return "parameter" if status in {400, 422} and _PARAMETER.search(body) else None


def _limited(body: str, wait: float | None) -> tuple[Reason, float | None]:
    if _MINUTE_QUOTA.search(body):
        return "rate_limit", wait or 60.0
    spent = _SPENT.search(body) or (wait is None and _BILLING.search(body))
    return ("quota" if spent else "rate_limit"), wait


def error_in(payload: Any) -> tuple[int, str] | None:
    """The error that a 200 carries instead of an answer: its status, as far as it tells, and its text."""
    if isinstance(payload, list):
        payload = payload[0] if payload else {}
    if not isinstance(payload, dict) or payload.get("choices"):
        return None
    error = payload.get("error") or (payload if _is_error(payload) else None)
    if not error:
        return None
    return _code(error), json.dumps(error, ensure_ascii=False)


def _is_error(payload: dict[str, Any]) -> bool:
    return payload.get("object") == "error" or "detail" in payload or ("message" in payload and "code" in payload)


def _code(error: Any) -> int:
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    return int(code) if re.fullmatch(r"[45]\d\d", code) else 500


def shown(text: str, *secrets: str) -> str:
    """An error text fit for a log: one short line without keys."""
    for secret in secrets:
        text = text.replace(secret, "***") if len(secret) > 3 else text
    line = " ".join(_SECRET.sub(r"\1***", text).split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
