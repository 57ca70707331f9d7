"""Every recorded document is recognised, and read to its count or its error."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.sources import forms
from services.fetcher.sources.document import UnusableDocument

DATA = Path(__file__).parents[1] / "data"
ARXIV = DATA / "arxiv"

RECORDED = tuple(f"{path.name}/" for path in ARXIV.iterdir() if path.is_dir())

# form, papers, left out; or form and the beginning of the error
EXPECTED: dict[str, tuple[str, int, int] | tuple[str, str]] = {
    "rss/cs.AI+cs.CL+cs.DC+cs.LG.2025-12-08.xml": (forms.RSS, 173, 0),
    "rss/cs.AI+cs.CL+cs.DC+cs.LG.2025-12-09.xml": (forms.RSS, 342, 0),
    "rss/cs.AI+cs.CL+cs.DC+cs.LG.2025-12-10.xml": (forms.RSS, 199, 0),
    "rss/cs.AI+cs.CL+cs.DC+cs.LG.2025-12-11.xml": (forms.RSS, 197, 0),
    "rss/cs.AI+cs.CL+cs.DC+cs.LG.2025-12-12.xml": (forms.RSS, 212, 0),
    "rss/cs.AI.2025-08-20.atom.xml": (forms.ATOM, 7, 0),
    "rss/cs.AI.2025-08-20.truncated.atom.xml": (forms.ATOM, "not well-formed XML, perhaps cut off"),
    "rss/cs.AI.2025-12-10.xml": (forms.RSS, 109, 0),
    "rss/cs.AI.2026-04-27.three-items.xml": (forms.RSS, 3, 0),
    "rss/cs.CL.2025-12-10.xml": (forms.RSS, 27, 0),
    "rss/cs.CL.2026-08-01.empty-weekend.xml": (forms.RSS, 0, 0),
    "rss/cs.DC.2025-12-10.xml": (forms.RSS, 11, 0),
    "rss/cs.LG.2025-12-10.xml": (forms.RSS, 113, 0),
    "rss/stat.2024-03-26.xml": (forms.RSS, 123, 0),
    "atom/cat_cs.LG_or_cs.AI_2026-04-30_max20.xml": (forms.API, 20, 0),
    "atom/empty_id_0000.0000.xml": (forms.API, 0, 0),
    "atom/error_429_rate_exceeded_body.txt": (forms.UNKNOWN, "got text instead of an XML feed: 'Rate exceeded.'"),
    "atom/error_incorrect_id_format_abc_http400.xml": (forms.API, "incorrect id format for abc"),
    "atom/harsh_4_journal_ref.xml": (forms.API, 4, 0),
    "atom/id_1707.08567.xml": (forms.API, 1, 0),
    "atom/id_old_style_astro-ph_0601001.xml": (forms.API, 1, 0),
    "atom/ids_one_missing_one_found.xml": (forms.API, 1, 0),
    "atom/old_format_au_del_maestro.xml": (forms.API, 10, 0),
    "atom/q_testing_start0_max10.xml": (forms.API, 10, 0),
    "atom/q_testing_start0_max100.xml": (forms.API, 100, 0),
    "atom/q_testing_start10_max10.xml": (forms.API, 10, 0),
    "oai/error_badArgument_2026.xml": (forms.OAI, "badArgument: The request includes illegal arguments"),
    "oai/error_badResumptionToken_2026.xml": (forms.OAI, "badResumptionToken: The value of the resumptionToken"),
    "oai/error_noRecordsMatch_2026.xml": (forms.OAI_RAW, 0, 0),
    "oai/getrecord_arXiv_mixed_12.xml": (forms.OAI_ARXIV, 12, 0),
    "oai/listrecords_arXivRaw_new_server_2026-09-27_page1.xml": (forms.OAI_RAW, 2, 0),
    "oai/listrecords_arXivRaw_new_server_2026-09-27_page2.xml": (forms.OAI_RAW, 2, 0),
    "oai/listrecords_arXiv_cs_2016-03-09_page001.xml": (forms.OAI_ARXIV, 1000, 0),
    "oai/listrecords_arXiv_cs_2016-03-09_page002.xml": (forms.OAI_ARXIV, 1000, 0),
    "oai/listrecords_arXiv_cs_2016-03-09_page103.xml": (forms.OAI_ARXIV, 538, 0),
    "oai/listrecords_arXiv_new_server_2026-09-20_3.xml": (forms.OAI_ARXIV, 3, 0),
}
SOURCES: dict[str, tuple[str, int, int]] = {
    "biorxiv.empty.json": (forms.BIORXIV, 0, 0),
    "biorxiv.medrxiv.json": (forms.BIORXIV, 1, 0),
    "biorxiv.page1.json": (forms.BIORXIV, 3, 1),
    "biorxiv.page2.json": (forms.BIORXIV, 2, 0),
    "rss.empty.xml": (forms.FEED, 0, 0),
    "rss.jekyll.atom": (forms.FEED, 2, 0),
    "rss.journal.rdf": (forms.FEED, 1, 0),
    "rss.old-091.xml": (forms.FEED, 1, 0),
    "rss.wordpress.xml": (forms.FEED, 2, 0),
}


def document(name: str) -> bytes:
    """A recorded document; large ones are compressed."""
    packed = ARXIV / f"{name}.xz"
    if packed.exists():
        return lzma.decompress(packed.read_bytes())
    path = ARXIV / name
    return (path if path.exists() else ARXIV / path.name).read_bytes()


def outcome(recorded: bytes) -> tuple[str, int, int] | tuple[str, str]:
    try:
        reading = forms.read(recorded)
    except UnusableDocument as error:
        return forms.recognise(recorded), str(error)
    assert len(reading.dates) == len(reading.items)
    return reading.form, len(reading.items), len(reading.rejected)


def test_every_recorded_document_is_in_the_table() -> None:
    recorded = {f"{form}/{path.name}" for form in ("rss", "atom", "oai") for path in ARXIV.glob(f"{form}/*")}

    assert {name.removesuffix(".xz") for name in recorded} <= EXPECTED.keys()


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith(RECORDED)])
def test_a_recorded_document_is_read_to_its_count_or_its_error(name: str) -> None:
    form, *expected = EXPECTED[name]
    found_form, *found = outcome(document(name))

    assert found_form == form
    assert found == expected or (len(expected) == 1 and str(found[0]).startswith(str(expected[0])))


@pytest.mark.parametrize("name", SOURCES)
def test_the_other_forms_are_read_to_their_count(name: str) -> None:
    assert outcome((DATA / "sources" / name).read_bytes()) == SOURCES[name]


@pytest.mark.parametrize(
    ("beginning", "form"),
    [
        (b"", forms.UNKNOWN),
        (b"%PDF-1.5", forms.UNKNOWN),
        (b"{}", forms.UNKNOWN),
        (b"<!DOCTYPE html><html><body><feed/></body></html>", forms.UNKNOWN),
        (b"<svg/>", forms.UNKNOWN),
        ("<?xml version='1.0' encoding='UTF-16'?><rss/>".encode("utf-16"), forms.FEED),
        (b"<rss><channel><description>news about http://arxiv.org/</description></channel></rss>", forms.FEED),
    ],
)
def test_a_form_is_told_by_its_beginning(beginning: bytes, form: str) -> None:
    assert forms.recognise(beginning) == form


def test_an_announcement_tells_its_day_for_each_paper() -> None:
    reading = forms.read((ARXIV / "rss/cs.AI.2026-04-27.three-items.xml").read_bytes())

    assert [{name: str(day) for name, day in dates.items()} for dates in reading.dates] == [
        {"announced": "2026-04-27"}
    ] * 3


@given(recorded=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(recorded: bytes) -> None:
    try:
        assert forms.read(recorded).form
    except UnusableDocument as error:
        assert str(error)  # noqa: PT017 - either is right
