from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.summarizer.llm_errors import REASONS, WORDS, Trouble, classify, shown
from services.summarizer.llm_reply import decode, read
from services.summarizer.styles.structured import SCHEMA
from tests.llm_server import KNOWN_ERRORS

NOW = datetime(2026, 11, 20, 9, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("sample", KNOWN_ERRORS, ids=lambda sample: f"{sample['server']}: {sample['case']}")
def test_what_servers_say_is_understood(sample: dict[str, Any]) -> None:
    trouble = classify(sample["status"], sample["headers"], sample["body"], NOW)

    assert (trouble.reason, trouble.wait) == (sample["reason"], sample["wait"])


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *[(status, "server") for status in (408, 409, 425, 500, 502, 503, 504, 520, 524, 529)],
        *[(status, "refused") for status in (404, 410, 413, 418, 501, 505)],
        (403, "auth"),
    ],
)
def test_a_status_without_a_text_is_classed(status: int, reason: str) -> None:
    assert classify(status, {}, "", NOW).reason == reason


def test_every_reason_has_words_for_readers() -> None:
    assert set(WORDS) == set(REASONS)


def test_keys_are_not_shown() -> None:
    text = 'Incorrect API key provided: sk-abc123def456. api_key: 2f21ab34cd56 "Bearer tok-12345678" for s3cret-value'

    assert shown(text, "s3cret-value") == ('Incorrect API key provided: sk-*** api_key: *** "Bearer ***" for ***')


def test_a_long_error_page_is_shown_as_one_short_line() -> None:
    line = shown("<html>\n" + "x " * 1000)

    assert len(line) == 300
    assert "\n" not in line


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<!doctype html><html></html>", "garbage"),
        (b"", "garbage"),
        (b'{"choices": [{"mess', "garbage"),
        (b'"fine"', "garbage"),
        (b"[" * 100_000, "garbage"),
        (b'{"error": {"message": "overloaded", "code": 503}}', "server"),
        (b'{"error": "Unauthorized", "choices": null}', "server"),
        (b'{"error": {"message": "bad key", "code": "401"}}', "auth"),
        (b'[{"error": {"code": 429, "message": "slow down"}}]', "rate_limit"),
        (b'{"object": "error", "message": "maximum context length is 10 tokens", "code": 400}', "context"),
        (b'{"detail": "Not Found"}', "server"),
    ],
)
def test_a_200_that_is_no_answer_is_trouble(body: bytes, reason: str) -> None:
    with pytest.raises(Trouble) as caught:
        decode(body, {}, NOW)

    assert caught.value.reason == reason


def choice(finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"finish_reason": finish, "message": message}]}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"choices": None}, "blank"),
        ({}, "blank"),
        ({"choices": ["what"]}, "blank"),
        (choice(content=None), "blank"),
        (choice(content=" \n "), "blank"),
        (choice(content=["a", "list"]), "blank"),
        ({"choices": [{"message": None}]}, "blank"),
        (choice(content=None, reasoning="let me think"), "blank"),
        (choice("length", content='{"tldr": "cut'), "length"),
        (choice("content_filter", content=""), "refused"),
        (choice(content=None, refusal="I cannot help with that"), "refused"),
    ],
)
def test_an_answer_without_a_finished_text_is_trouble(payload: dict[str, Any], reason: str) -> None:
    with pytest.raises(Trouble) as caught:
        read(payload, SCHEMA)

    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_json_that_landed_in_the_reasoning_field_is_taken_when_the_content_is_empty(name: str) -> None:
    text = json.dumps(dict.fromkeys(SCHEMA["required"], "x"))

    assert read(choice(content=None, **{name: text}), SCHEMA).text == text


def test_reasoning_is_ignored_when_there_is_content() -> None:
    assert read(choice(content="the answer", reasoning_content="hm"), SCHEMA).text == "the answer"


def test_a_server_that_does_not_count_tokens_costs_nothing() -> None:
    reply = read(choice(content="text") | {"usage": {"prompt_tokens": "many", "completion_tokens": -1}}, SCHEMA)

    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 0)
