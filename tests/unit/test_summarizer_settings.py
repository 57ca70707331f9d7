from __future__ import annotations

import pytest

from services.summarizer.settings import Settings
from shared.settings import read

NATS = "nats://127.0.0.1:4222"


@pytest.fixture(autouse=True)
def nats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATS_URL", NATS)


def test_without_an_endpoint_or_a_key_no_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "left over")

    assert read(Settings).models == ()


def test_a_local_server_needs_no_key() -> None:
    settings = Settings(nats_url=NATS, llm_base_url="http://ollama:11434/v1", llm_model="qwen3")

    assert (settings.base_url, settings.api_key) == ("http://ollama:11434/v1", "none")
    assert settings.models == ("qwen3",)


def test_a_key_alone_means_openai() -> None:
    settings = Settings(nats_url=NATS, llm_api_key="sk-1", llm_model="gpt", llm_fallback_model="gpt-mini")

    assert (settings.base_url, settings.api_key) == ("https://api.openai.com/v1", "sk-1")
    assert settings.models == ("gpt", "gpt-mini")


def test_a_fallback_to_the_same_model_is_none() -> None:
    assert Settings(nats_url=NATS, llm_api_key="k", llm_model="a", llm_fallback_model="a").models == ("a",)


def test_the_key_is_not_printed() -> None:
    assert "sk-1" not in repr(Settings(nats_url=NATS, llm_api_key="sk-1", llm_model="gpt"))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LLM_API_KEY", "sk-1", "paperwire: LLM_MODEL is missing: LLM_API_KEY is set, so name the model to ask"),
        ("LLM_BASE_URL", "http://x/v1", "paperwire: LLM_MODEL is missing: LLM_BASE_URL is set"),
        ("LLM_BASE_URL", "localhost:8000", "paperwire: LLM_BASE_URL is illegal"),
        ("LLM_TIMEOUT", "0", "paperwire: LLM_TIMEOUT is illegal"),
        ("LANES", "many", "paperwire: LANES is illegal"),
    ],
)
def test_a_wrong_setting_stops_the_process_with_its_name(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit):
        read(Settings)

    assert capsys.readouterr().err.startswith(told)
