"""Conditional requests and encodings, as RFC 9110 wants them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from services.publisher.responses import Answer, Body, answer

MODIFIED = datetime(2025, 12, 10, 5, 16, 40, tzinfo=UTC)
TEXT = b"papers " * 1_000
BODY = Body.of(TEXT, "text/plain; charset=utf-8", MODIFIED, {"access-control-allow-origin": "*"})


def ask(method: str = "GET", **headers: str) -> Answer:
    lower = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(method, lower, BODY, max_age=300)


def test_each_encoding_has_its_own_strong_tag() -> None:
    plain, packed = ask(), ask(accept_encoding="br, gzip;q=0.8")

    assert gzip.decompress(packed.data) == plain.data == TEXT
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["etag"] != packed.headers["etag"]
    assert not plain.headers["etag"].startswith("W/")


def test_the_same_bytes_have_the_same_tag() -> None:
    assert Body.of(TEXT, "text/plain", datetime.now(UTC), {}).plain.etag == BODY.plain.etag


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0"])
def test_who_does_not_want_gzip_gets_none(accepted: str) -> None:
    assert "content-encoding" not in ask(accept_encoding=accepted).headers


@pytest.mark.parametrize("accepted", ["gzip", "GZIP", "gzip;q=0.1", "*", "deflate, gzip"])
def test_who_wants_gzip_gets_it(accepted: str) -> None:
    assert ask(accept_encoding=accepted).headers["content-encoding"] == "gzip"


def test_a_small_body_is_not_compressed() -> None:
    small = Body.of(b"few", "text/plain", MODIFIED, {})

    assert "content-encoding" not in answer("GET", {"accept-encoding": "gzip"}, small, max_age=0).headers


@pytest.mark.parametrize("tag", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
def test_a_known_tag_is_answered_with_304_and_the_same_headers(tag: str) -> None:
    full = ask()

    short = ask(if_none_match=tag.format(etag=full.headers["etag"]))

    assert (short.status, short.data) == (304, b"")
    assert short.headers == {name: value for name, value in full.headers.items() if name != "content-length"}


def test_the_tag_of_the_other_encoding_is_not_known() -> None:
    assert ask(if_none_match=ask(accept_encoding="gzip").headers["etag"]).status == 200


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Wed, 10 Dec 2025 05:16:40 GMT", 304),
        ("Thu, 11 Dec 2025 00:00:00 GMT", 304),
        ("Wed, 10 Dec 2025 05:16:39 GMT", 200),
        ("yesterday", 200),
        ("Thu, 01 Jan 99999999999999 00:00:00 GMT", 200),
        ("", 200),
    ],
)
def test_a_date_alone_decides(since: str, status: int) -> None:
    assert ask(if_modified_since=since).status == status


def test_a_tag_counts_more_than_a_date() -> None:
    assert ask(if_none_match='"old"', if_modified_since="Thu, 11 Dec 2025 00:00:00 GMT").status == 200


def test_head_has_the_headers_of_get_and_no_body() -> None:
    head = ask("HEAD")

    assert (head.headers, head.data) == (ask().headers, b"")
    assert head.headers["content-length"] == str(len(TEXT))


def test_a_404_is_never_answered_with_304() -> None:
    assert answer("GET", {"if-none-match": "*"}, BODY, max_age=0, status=404).status == 404
