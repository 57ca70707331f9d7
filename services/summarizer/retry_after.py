"""When a server says to come back, in each of the ways that model servers say it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])",
    re.IGNORECASE,
)
_IN = re.compile(r"(?:try again|retry|resets?|available(?: again)?)\s+(?:in|after)\s*:?\s*(.{1,60})", re.IGNORECASE)
_AT = re.compile(
    r"resets? at:?\s*(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", re.IGNORECASE
)


def delay(headers: Mapping[str, str], body: str, now: datetime) -> float | None:
    """The seconds to wait, or None where the answer does not say."""
    told = (
        _milliseconds(headers.get("retry-after-ms")),
        _seconds_or_date(headers.get("retry-after"), now),
        _retry_info(body),
        _seconds_or_date(headers.get("llm_provider-retry-after"), now),
        _in_text(body),
        _at_time(body, now),
    )
    return next((seconds for seconds in told if seconds is not None), None)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _milliseconds(text: str | None) -> float | None:
    number = _number(text)
    return None if number is None else number / 1000


def _seconds_or_date(text: str | None, now: datetime) -> float | None:
    if not text:
        return None
    number = _number(text)
    return number if number is not None else _until(_http_date(text), now)


def _http_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None


def _until(moment: datetime | None, now: datetime) -> float | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _retry_info(body: str) -> float | None:
    """Google's `{"@type": "…RetryInfo", "retryDelay": "45.8s"}`, wherever it stands in the body."""
    if "retryDelay" not in body:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return next((_duration(delay) for delay in _values(document, "retryDelay", 8) if isinstance(delay, str)), None)


def _values(node: Any, key: str, depth: int) -> Iterator[Any]:
    if depth and isinstance(node, dict):
        if key in node:
            yield node[key]
        node = list(node.values())
    if depth and isinstance(node, list):
        for child in node:
            yield from _values(child, key, depth - 1)


def _in_text(body: str) -> float | None:
    found = _IN.search(body)
    return _duration(found[1]) if found else None


def _duration(text: str) -> float | None:
    """`6s`, `7m12s`, `1 minute`, `500ms`: the run of parts at the start of the text."""
    total, end = 0.0, 0
    for part in _PART.finditer(text):
        if text[end : part.start()].strip(" ,") not in {"", "and"}:
            break
        unit = part[2].lower()
        total += float(part[1]) * _UNITS["ms" if unit.startswith(("ms", "milli")) else unit[0]]
        end = part.end()
    return total if end else None


def _at_time(body: str, now: datetime) -> float | None:
    found = _AT.search(body)
    if not found:
        return None
    zone = found[2] or ""
    suffix = zone if zone.startswith(("+", "-")) else "+00:00"
    try:
        return _until(datetime.fromisoformat(found[1].replace(" ", "T") + suffix), now)
    except ValueError:
        return None
