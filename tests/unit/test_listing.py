from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.listing import UNREADABLE, Listing, address, parse
from tests.builders import DAY
from tests.listings import a_listing

PAGE = Path(__file__).parent.parent / "data" / "arxiv" / "listing" / "cs.DC.2026-09-02.html"


def test_a_page_in_arxivs_form_gives_its_day_and_the_count_of_all_sections() -> None:
    assert parse(PAGE.read_bytes()) == Listing(date(2026, 9, 2), 45)


@pytest.mark.parametrize(
    ("page", "count"),
    [
        (a_listing(DAY, new=37, cross=72), 109),
        (a_listing(DAY, new=2, cross=3, replaced=4), 9),
        (a_listing(DAY), 0),
        (a_listing(DAY, new=2, cross=3).replace(b"Total of", b"In all"), 5),
        (a_listing(DAY, new=30, cross=3).replace(b"Total of", b"In all"), None),
        (a_listing(DAY, new=20, cross=5, replaced=9).replace(b"Total of", b"In all"), None),
    ],
    ids=["total", "total of three", "no updates", "sum of the sections", "a cut section", "hidden sections"],
)
def test_the_count_is_known_only_when_the_page_says_it(page: bytes, count: int | None) -> None:
    assert parse(page) == Listing(DAY, count)


def test_a_title_that_talks_like_the_page_is_not_believed() -> None:
    page = a_listing(DAY, new=3).replace(b"A title", b"Total of 999 entries <p>No updates today.</p>")

    assert parse(page).count == 3


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"\x00",
        b"Rate exceeded.",
        b"<html><body>arXiv is down for maintenance</body></html>",
        b"<h3>Showing new listings for Wednesday, 99 December 2025</h3>",
        b"<h3>Showing new listings for Mittwoch, 10 Dezember 2025</h3>",
        b"\xff\xfe<\x00h\x003\x00",
        b"<div>" * 100_000,
    ],
)
def test_a_page_that_cannot_be_read_says_nothing(page: bytes) -> None:
    assert parse(page) == UNREADABLE


@given(st.binary(max_size=400))
def test_no_page_makes_it_fail(noise: bytes) -> None:
    parse(noise)
    parse(a_listing(DAY, new=3)[:300] + noise)


def test_the_shortest_page_is_asked_for() -> None:
    assert address("https://arxiv.org/", "cs.AI") == "https://arxiv.org/list/cs.AI/new?skip=0&show=25"
    assert address("https://arxiv.org", "a/b") == "https://arxiv.org/list/a%2Fb/new?skip=0&show=25"
