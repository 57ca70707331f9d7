"""Looking papers up: how ids are written, addresses, and what an order's answer says."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from services.fetcher.lookup import ids_url, missing, refusal, search_url
from services.fetcher.lookup_orders import beyond, told
from services.fetcher.text import read_id
from tests.announcements import RECORDED
from tests.builders import a_paper

API = "https://export.arxiv.org/api/query"


@pytest.mark.parametrize(
    ("written", "identifier"),
    [
        ("2512.08242", "2512.08242"),
        (" 2512.08242v2 ", "2512.08242v2"),
        ("arXiv:0704.0001", "0704.0001"),
        ("hep-th/9901001v2", "hep-th/9901001v2"),
        ("math.GT/0309136", "math/0309136"),
        ("https://arxiv.org/abs/2512.08242v1", "2512.08242v1"),
        ("arxiv.org/pdf/2512.08242v1.pdf", "2512.08242v1"),
        ("https://arxiv.org/html/2512.08242", "2512.08242"),
        ("abc", None),
        ("2512.08242v0", None),
        ("2512.082421", None),
        ("١٢٣٤.٥٦٧٨", None),
        ("2512.08242,2512.08243", None),
        ("https://example.org/abs/2512.08242", None),
        ("", None),
    ],
)
def test_an_id_is_understood_however_people_write_it(written: str, identifier: str | None) -> None:
    assert read_id(written) == identifier


def test_ids_stand_in_the_address_as_arxiv_writes_them() -> None:
    url = ids_url(API, ["2512.08242", "hep-th/9901001v2"])

    assert url == f"{API}?id_list=2512.08242,hep-th/9901001v2&start=0&max_results=2"


def test_a_search_is_encoded_whole_and_comes_newest_first() -> None:
    query = 'cat:cs.LG AND abs:"KV cache" & #all?'
    asked = parse_qs(urlsplit(search_url(API, query, 200, 100)).query)

    assert asked == {
        "search_query": [query],
        "start": ["200"],
        "max_results": ["100"],
        "sortBy": ["submittedDate"],
        "sortOrder": ["descending"],
    }


def test_any_version_answers_an_id_without_one_and_only_its_own_an_id_with_one() -> None:
    paper = a_paper(id="2512.08242", version=2)

    assert missing(("2512.08242", "2512.08242v2", "2512.08242v1"), [paper]) == ("2512.08242v1",)


def test_a_refusal_is_told_in_arxivs_words() -> None:
    assert (
        refusal((RECORDED / "error_incorrect_id_format_abc_http400.xml").read_bytes()) == "incorrect id format for abc"
    )
    assert refusal(b"<html>\n<b>Bad request</b></html>") == "<html> <b>Bad request</b></html>"
    assert refusal(b"") == "HTTP 400"


def test_what_was_not_found_is_told_and_nothing_when_all_is_well() -> None:
    assert told({"not found": ["a", "b"], "no arXiv id": [], "not readable": ["entry 3: why"]}) == (
        "not found: a, b; not readable: entry 3: why"
    )
    assert told({"not found": []}) is None
    assert (told({"not found": map(str, range(502))}) or "").endswith("498, 499 and 2 more")


def test_whoever_wants_more_than_arxiv_gives_is_told() -> None:
    assert list(beyond(214_881, None, 30_000)) == [
        "184,881 of 214,881 results: arXiv gives 30,000, so narrow the search",
    ]
    assert list(beyond(214_881, 100, 30_000)) == list(beyond(30_000, None, 30_000)) == []
