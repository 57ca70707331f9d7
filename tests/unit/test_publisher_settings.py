"""The publisher's settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.publisher.settings import Settings


def settings(**changes: Any) -> Settings:
    values = {"nats_url": "nats://nats", "database_url": "postgresql://db/x", "feeds_file": "feeds.toml"}
    return Settings(**values | changes)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"web_host": "::1", "web_port": 9}, "http://[::1]:9"),
        ({"public_url": "https://papers.example.org/"}, "https://papers.example.org"),
    ],
)
def test_the_public_address_has_no_slash_at_its_end(given: dict[str, Any], address: str) -> None:
    assert settings(**given).public_url == address


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_url": "papers.example.org"},
        {"database_url": "sqlite://x"},
        {"entry_deadline": -1},
        {"web_port": 70_000},
    ],
)
def test_an_illegal_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)
