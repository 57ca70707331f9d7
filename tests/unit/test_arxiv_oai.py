from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.fetcher.sources.arxiv_oai import Dates, Item, OaiError, UnusableDocument, parse
from tests.announcements import WEEK
from tests.announcements import recorded as announcement
from tests.oai import (
    LAST_PAGE,
    MIXED,
    NEW_SERVER,
    PAGE_1,
    PAGE_2,
    RAW_1,
    RAW_2,
    a_page,
    a_record,
    in_arxiv,
    in_raw,
    recorded,
)


def only(document: bytes) -> tuple[Item, Dates]:
    page = parse(document)
    assert page.rejected == ()
    (item,), (dates,) = page.items, page.dates
    return item, dates


@pytest.mark.parametrize(
    ("name", "count", "first", "last", "token", "size"),
    [
        (PAGE_1, 1000, "0704.0002v1", "0708.2571v1", "1122234|1001", 102_538),
        (PAGE_2, 1000, "0708.2575v1", "0712.0531v1", "1122234|2001", 102_538),
        (LAST_PAGE, 538, "math/0611918v1", "quant-ph/9912100v1", None, 102_538),
        (RAW_1, 2, "2609.27532v2", "2609.28570v1", "tok123", 4),
        (RAW_2, 2, "2004.09073v2", "2609.02986v2", None, 4),
        (NEW_SERVER, 3, "2504.11237v1", "2510.07502v1", None, None),
        (MIXED, 12, "1601.03238v1", "1808.04927v1", None, None),
    ],
)
def test_a_recorded_page_is_read_whole(
    name: str, count: int, first: str, last: str, token: str | None, size: int | None
) -> None:
    page = parse(recorded(name))

    assert (len(page.items), len(page.dates), page.rejected, page.deleted) == (count, count, (), ())
    assert (page.items[0].paper.versioned_id, page.items[-1].paper.versioned_id) == (first, last)
    assert (page.token, page.complete_size) == (token, size)
    assert len({item.paper.id for item in page.items}) == count
    assert all(item.kind == "backfill" and item.paper.title and item.paper.authors for item in page.items)


@pytest.mark.parametrize("code", ["badArgument", "badResumptionToken", "noRecordsMatch"])
def test_an_error_of_the_protocol_is_told_by_its_code(code: str) -> None:
    with pytest.raises(OaiError) as raised:
        parse(recorded(f"error_{code}_2026.xml"))

    assert raised.value.code == code
    assert str(raised.value).startswith(f"{code}: The ")


def test_every_field_of_the_form_arxiv_is_read() -> None:
    page = parse(recorded(NEW_SERVER))
    paper, dates = page.items[0].paper, page.dates[0]

    assert paper.title == "Periodic table for highly charged ions"
    assert paper.authors == ("Chunhai Lyu", "Christoph H. Keitel", "Zoltán Harman")
    assert paper.categories == ("physics.atom-ph", "physics.optics", "physics.plasm-ph", "quant-ph")
    assert paper.comment == "5 pages"
    assert paper.journal_ref == "Phys. Rev. Research 7, L042071 (2025)"
    assert paper.doi == "10.1103/bppp-53g1"
    assert paper.license == "http://creativecommons.org/publicdomain/zero/1.0/"
    assert paper.abstract.startswith("Mendeleev's periodic table successfully groups")
    assert dates == Dates(date(2025, 4, 15), date(2026, 1, 5), date(2026, 1, 5))


def test_the_form_arxiv_raw_tells_the_version_and_its_days() -> None:
    page = parse(recorded(RAW_2))

    assert page.items[0].paper.versioned_id == "2004.09073v2"
    assert page.items[0].paper.authors == ("Geoffrey Z. Thompson", "Ranjan Maitra")
    assert page.items[0].paper.comment == "17 pages, 11 figures, 7 tables"
    assert page.dates[0] == Dates(date(2020, 4, 20), date(2026, 9, 23), date(2026, 9, 25))


def test_the_last_version_counts() -> None:
    versions = "".join(
        f'<version version="v{n}"><date>Mon, 0{n} Dec 2025 03:00:00 GMT</date></version>' for n in (1, 2, 3)
    )
    item, dates = only(a_page(a_record(metadata=in_raw(versions=versions))))

    assert item.paper.version == 3
    assert dates == Dates(date(2025, 11, 30), date(2025, 12, 2), date(2025, 12, 10))


def test_suffixes_stay_with_their_names_and_affiliations_are_left_out() -> None:
    authors = (
        "<author><keyname>Heath</keyname><forenames>Robert  W.</forenames><suffix>Jr</suffix>"
        "<affiliation>UT Austin</affiliation></author><author><keyname>Belle Collaboration</keyname></author>"
        "<author><forenames>Paul</forenames><keyname>Erd\\H{o}s</keyname></author>"
    )
    item, _ = only(a_page(a_record(metadata=in_arxiv(authors=authors))))

    assert item.paper.authors == ("Robert W. Heath Jr", "Belle Collaboration", "Paul Erdős")


def test_the_metadata_may_lack_a_namespace_of_its_own() -> None:
    bare = in_arxiv().replace(' xmlns="http://arxiv.org/OAI/arXiv/"', "")

    assert only(a_page(a_record(metadata=bare)))[0] == only(a_page(a_record()))[0]


def test_a_deleted_record_is_no_paper() -> None:
    page = parse(a_page(a_record("2512.00007", status=' status="deleted"'), a_record()))

    assert page.deleted == ("2512.00007",)
    assert [item.paper.id for item in page.items] == ["2512.00001"]


@pytest.mark.parametrize(
    ("element", "token", "size"),
    [
        ("", None, None),
        ("<resumptionToken/>", None, None),
        ('<resumptionToken cursor="9" completeListSize="12"> </resumptionToken>', None, 12),
        ("<resumptionToken>a|b c</resumptionToken>", "a|b c", None),
        ('<resumptionToken completeListSize="many">t</resumptionToken>', "t", None),
    ],
)
def test_the_list_goes_on_while_there_is_a_token(element: str, token: str | None, size: int | None) -> None:
    page = parse(a_page(a_record(), token=element))

    assert (page.token, page.complete_size) == (token, size)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (a_record("nonsense"), "record 2: identifier 'oai:arXiv.org:nonsense' is not oai:arXiv.org:<id>"),
        (a_record(datestamp="soon"), "record 2: datestamp 'soon' is not a date"),
        (a_record(metadata=""), "record 2: 2512.00001: it has no metadata"),
        (a_record(metadata=in_raw(versions='<version version="x"/>')), "record 2: version 'x' is not v<number>"),
        (
            a_record(metadata=in_arxiv().replace("A title", " ")),
            "record 2: title: String should have at least 1 character",
        ),
        (
            a_record(metadata=in_arxiv().replace("An abstract", "x" * 300_000)),
            "record 2: 2512.00001: larger than 245760 bytes",
        ),
        ("<record/>", "record 2: it has no header"),
    ],
)
def test_a_record_that_cannot_be_read_does_not_cost_the_others(record: str, why: str) -> None:
    page = parse(a_page(a_record("2512.00009"), record, a_record("2512.00010")))

    assert [item.paper.id for item in page.items] == ["2512.00009", "2512.00010"]
    assert page.rejected == (why,)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html/>", "HTML page"),
        (announcement(WEEK[0]), "expected an OAI-PMH answer, got <rss>"),
        (b'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"/>', "neither records nor an error"),
        (a_page(a_record(metadata="<dc><title>t</title></dc>")), "in the form <dc>"),
        (a_page(a_record(), token=f"<resumptionToken>{'t' * 3000}</resumptionToken>"), "token has 3000 characters"),
        (recorded(PAGE_1)[:900_000], "cut off"),
    ],
    ids=["nothing", "HTML", "RSS", "no records", "Dublin Core", "huge token", "half a page"],
)
def test_another_document_is_refused_with_its_reason(document: bytes, why: str) -> None:
    with pytest.raises(UnusableDocument, match=why):
        parse(document)


@settings(max_examples=200)
@given(st.data())
def test_a_damaged_page_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    document = bytearray(recorded(RAW_1))
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(document) - 1))
        document[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
    try:
        page = parse(bytes(document))
    except UnusableDocument:
        return
    assert len(page.items) == len(page.dates)
