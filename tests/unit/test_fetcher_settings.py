from __future__ import annotations

from pathlib import Path

import pytest

from services.fetcher.app import build
from services.fetcher.download import feed_url, user_agent
from services.fetcher.settings import Settings
from shared.settings import EX_CONFIG, read


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    feeds_file = tmp_path / "feeds.toml"
    feeds_file.write_text('[[feed]]\nslug = "a"\ntitle = "A"\ncategories = ["cs.AI"]\nkeywords = ["x"]\n', "utf-8")
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:4222")
    monkeypatch.setenv("FEEDS_FILE", str(feeds_file))
    monkeypatch.setenv("CONTACT", "me@example.org")
    return monkeypatch


def test_a_complete_environment_is_enough(environment: pytest.MonkeyPatch) -> None:
    settings = read(Settings)

    assert settings.arxiv_rss_url == "https://rss.arxiv.org/rss"
    assert (settings.arxiv_interval, settings.sources_interval) == (3, 1)


def test_a_mirror_of_arxiv_is_asked_at_arxiv_s_pace(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ARXIV_OAI_URL", "https://Mirror.example.org:8443/oai")

    assert read(Settings).arxiv_hosts == {"rss.arxiv.org", "arxiv.org", "export.arxiv.org", "mirror.example.org"}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("CONTACT", "", "CONTACT is missing (how arXiv reaches you"),
        ("CONTACT", "me\nX-Evil: 1", "CONTACT is illegal"),
        ("FEEDS_FILE", "", "FEEDS_FILE is missing"),
        ("ARXIV_INTERVAL", "-1", "ARXIV_INTERVAL is illegal"),
        ("ARXIV_RSS_URL", "rss.arxiv.org", "ARXIV_RSS_URL is illegal"),
    ],
)
def test_a_wrong_setting_stops_the_process_by_name(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, why: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(SystemExit) as stopped:
        read(Settings)

    assert stopped.value.code == EX_CONFIG
    assert why in capsys.readouterr().err


def test_a_feeds_file_that_is_not_there_stops_the_process(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    environment.setenv("FEEDS_FILE", str(tmp_path / "none.toml"))

    with pytest.raises(SystemExit):
        build(read(Settings))

    assert "none.toml: cannot be read" in capsys.readouterr().err


def test_the_user_agent_says_who_asks_and_whom_to_write_to() -> None:
    agent = user_agent("me@example.org")

    assert agent.startswith("paperwire/")
    assert agent.endswith(" (+me@example.org)")


def test_one_address_asks_for_all_categories() -> None:
    assert feed_url("https://rss.arxiv.org/rss/", ("cs.AI", "hep-th")) == "https://rss.arxiv.org/rss/cs.AI+hep-th"
