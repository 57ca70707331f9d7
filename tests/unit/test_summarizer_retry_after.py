from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.summarizer.retry_after import delay

NOW = datetime(2026, 11, 20, 9, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "5"}, 5.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Fri, 20 Nov 2026 09:12:07 GMT"}, 7.0),
        ({"retry-after": "Fri, 20 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"llm_provider-retry-after": "60"}, 60.0),
        ({"retry-after": "3", "llm_provider-retry-after": "60"}, 3.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Fri, 99 Nov 99999 09:12:07 GMT"}, None),
        ({}, None),
    ],
)
def test_headers_are_read(headers: dict[str, str], seconds: float | None) -> None:
    assert delay(headers, "", NOW) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 6s.", 6.0),
        ("Please try again in 7m12s. Visit", 432.0),
        ("try again in 1h2m3s", 3723.0),
        ("Please retry in 45.8s.", 45.8),
        ("try again in 20 seconds", 20.0),
        ("Try again in 1 minute and 30 seconds", 90.0),
        ("Please try again in 500ms", 0.5),
        ("retry after: 2 mins", 120.0),
        ("Limit resets at: 2026-11-20 09:12:30 UTC", 30.0),
        ("resets at 2026-11-20T10:12:30+01:00", 30.0),
        ("resets at 2026-99-20T10:12:30", None),
        ("try again in a while", None),
        ("try again later", None),
        ("Please try again in 5 models", None),
    ],
)
def test_texts_are_read(text: str, seconds: float | None) -> None:
    assert delay({}, text, NOW) == seconds


RETRY_INFO: dict[str, Any] = {"error": {"details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "12.5s"}]}}


@pytest.mark.parametrize("body", [RETRY_INFO, [RETRY_INFO]], ids=["object", "array"])
def test_googles_retry_info_is_found(body: Any) -> None:
    assert delay({}, json.dumps(body), NOW) == 12.5


@pytest.mark.parametrize(
    "body", ['{"retryDelay": 5}', '{"retryDelay": "x"}', "retryDelay", "[" * 100_000 + "retryDelay"]
)
def test_a_broken_retry_info_says_nothing(body: str) -> None:
    assert delay({}, body, NOW) is None
