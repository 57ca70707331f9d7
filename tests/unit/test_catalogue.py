"""The publisher's view of the feed configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.publisher.catalogue import Catalogue
from shared.feeds import FeedsError

FEED = """
[[feed]]
slug = "gpu"
title = "GPUs"
categories = ["cs.DC"]
keywords = ["GPU"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.toml"
    path.write_text(FEED, encoding="utf-8")
    return path


def test_a_changed_file_is_read_again(path: Path) -> None:
    catalogue = Catalogue(path, look_every=0)
    before = catalogue.version()
    path.write_text(FEED + FEED.replace("gpu", "llm"), encoding="utf-8")

    assert catalogue.slugs == ("gpu", "llm")
    assert catalogue.version() != before


@pytest.mark.parametrize("text", ["[[feed]", FEED + FEED])
def test_a_file_that_became_wrong_changes_nothing(path: Path, text: str) -> None:
    catalogue = Catalogue(path, look_every=0)
    before = catalogue.version()
    path.write_text(text, encoding="utf-8")

    assert catalogue.slugs == ("gpu",)
    assert catalogue.version() == before


def test_a_file_that_went_away_changes_nothing_until_it_is_back(path: Path) -> None:
    catalogue = Catalogue(path, look_every=0)
    path.unlink()
    assert catalogue.slugs == ("gpu",)

    path.write_text(FEED.replace("gpu", "llm"), encoding="utf-8")

    assert catalogue.slugs == ("llm",)


def test_a_file_that_is_wrong_from_the_start_is_an_error(path: Path) -> None:
    path.write_text("[[feed]", encoding="utf-8")

    with pytest.raises(FeedsError):
        Catalogue(path)


def test_an_unknown_name_is_no_feed(path: Path) -> None:
    assert Catalogue(path).get("llm") is None
