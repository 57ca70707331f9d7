"""Recorded documents find their place in the local arXiv by what they are, and faults by what they are called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli.local.arxiv import CUT, EMPTY, EXPIRED, RATE_EXCEEDED, UNAVAILABLE, Fault, protocol_error, rate_limited, slow
from cli.local.arxiv.faults import named
from cli.local.arxiv.recorded import load, settings
from tests.announcements import ALL, RECORDED, WEEK, recorded


def test_every_recorded_document_is_served_where_it_belongs() -> None:
    replay, unknown = load(RECORDED)

    assert replay.documents[ALL] == recorded(WEEK[-1])
    assert {name: sum(map(len, days.values())) for name, days in replay.oai.pages.items()} == {
        "arXiv": 4,
        "arXivRaw": 2,
    }
    assert "1707.08567v1" in replay.api
    assert list(replay.atom) == ["cs.AI"]
    assert list(replay.listings) == ["cs.DC"]
    assert set(replay.pages) == {"/html/latexml", "/pdf/1605.03814v2"}
    assert {path.name.partition("_")[0] for path in unknown} == {"error", "getrecord"}


def test_a_page_of_an_old_id_and_an_announcement_of_any_name_are_served(tmp_path: Path) -> None:
    (tmp_path / "abs" / "hep-th").mkdir(parents=True)
    (tmp_path / "abs" / "hep-th" / "9901001.html").write_bytes(b"<html>")
    shutil.copy(RECORDED / "rss" / WEEK[0], tmp_path / "today.xml")
    (tmp_path / "broken.xml.xz").write_bytes(b"no archive")
    replay, unknown = load(tmp_path)

    assert replay.pages == {"/abs/hep-th/9901001": b"<html>"}
    assert replay.documents == {"*": recorded(WEEK[0])}
    assert unknown == [tmp_path / "broken.xml.xz"]


def test_the_listing_is_only_checked_when_it_is_there() -> None:
    replay, _ = load(RECORDED / "rss")
    assert settings("http://arxiv.test", replay)["CHECK_LISTING"] == "false"

    replay, _ = load(RECORDED / "listing")
    assert settings("http://arxiv.test", replay)["CHECK_LISTING"] == "true"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("429", rate_limited()),
        ("429=120@/rss", rate_limited("120").at("/rss")),
        ("rate-exceeded", Fault(200, RATE_EXCEEDED)),
        ("503", UNAVAILABLE),
        ("404@/html/", Fault(404, b"Not Found").at("/html/")),
        ("slow=0.5", slow(0.5)),
        ("cut@/oai", CUT.at("/oai")),
        ("empty@/api/query?start=50", EMPTY.at("/api/query", start="50")),
        ("expired", EXPIRED),
        ("noRecordsMatch", protocol_error("noRecordsMatch")),
    ],
)
def test_a_fault_is_named_on_the_command_line(text: str, fault: Fault) -> None:
    assert named(text) == fault
