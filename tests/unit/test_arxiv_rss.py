from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.fetcher.sources.arxiv_rss import Announcement, UnusableDocument, parse
from services.fetcher.sources.document import MAX_DOCUMENT
from shared.errors import Transient
from shared.messages import Paper
from tests.announcements import ALL, RECORDED, WEEK, WEEKEND, a_feed, an_item, recorded

FORBIDDEN = [*map(chr, range(9)), *map(chr, range(0xB, 0x20)), "\ufffe", "\uffff", "\ud800"]


def only(document: bytes) -> Paper:
    (item,) = parse(document).items
    return item.paper


@pytest.mark.parametrize(
    ("name", "day", "kinds", "first", "last"),
    [
        (WEEK[0], date(2025, 12, 8), {"new": 125, "cross": 48}, "2512.05122v1", "2512.05960v1"),
        (WEEK[1], date(2025, 12, 9), {"new": 261, "cross": 81}, "2512.05989v1", "2512.07833v1"),
        (WEEK[2], date(2025, 12, 10), {"new": 153, "cross": 46}, "2512.07841v1", "2512.08931v1"),
        (WEEK[3], date(2025, 12, 11), {"new": 131, "cross": 66}, "2512.08943v1", "2512.09902v1"),
        (WEEK[4], date(2025, 12, 12), {"new": 168, "cross": 44}, "2412.20505v1", "2512.10957v1"),
        ("cs.AI.2025-12-10.xml", date(2025, 12, 10), {"new": 37, "cross": 72}, "2512.07841v1", "2512.08931v1"),
        ("cs.CL.2025-12-10.xml", date(2025, 12, 10), {"new": 19, "cross": 8}, "2512.08082v1", "2512.08894v1"),
        ("cs.DC.2025-12-10.xml", date(2025, 12, 10), {"new": 9, "cross": 2}, "2512.08005v1", "2512.08751v1"),
        ("cs.LG.2025-12-10.xml", date(2025, 12, 10), {"new": 88, "cross": 25}, "2512.07843v1", "2512.08931v1"),
        ("cs.AI.2026-04-27.three-items.xml", date(2026, 4, 27), {"new": 3}, "2604.21935v1", "2604.21937v1"),
        ("cs.AI.2025-08-20.atom.xml", date(2025, 8, 20), {"new": 2, "cross": 5}, "2508.13426v1", "2508.14002v1"),
        (
            "stat.2024-03-26.xml",
            date(2024, 3, 26),
            {"new": 35, "cross": 27, "replace": 41, "replace-cross": 20},
            "2403.15527v1",
            "2403.14050v2",
        ),
    ],
)
def test_a_recorded_announcement_is_read_whole(
    name: str, day: date, kinds: dict[str, int], first: str, last: str
) -> None:
    announcement = parse(recorded(name))

    assert announcement.date == day
    assert Counter(item.kind for item in announcement.items) == kinds
    assert announcement.items[0].paper.versioned_id == first
    assert announcement.items[-1].paper.versioned_id == last
    assert announcement.rejected == ()


def test_a_weekend_brings_a_valid_announcement_without_papers() -> None:
    announcement = parse(recorded(WEEKEND))

    assert announcement == Announcement(date(2026, 8, 1), datetime(2026, 8, 1, 4, 0, 14, tzinfo=UTC), (), ())


def test_every_field_of_a_replaced_paper_is_read() -> None:
    papers = {item.paper.id: item for item in parse(recorded("stat.2024-03-26.xml")).items}
    paper, kind = papers["2304.04712"]

    assert kind == "replace"
    assert paper.version == 2
    assert paper.authors == (
        "Manuel Febrero-Bande",
        "Pedro Galeano",
        "Eduardo García-Portugués",
        "Wenceslao González-Manteiga",
    )
    assert paper.doi == "10.1007/s00180-023-01445-2"
    assert paper.journal_ref == "Computational Statistics, 2024"
    assert paper.license == "http://creativecommons.org/licenses/by-nc-sa/4.0/"
    assert paper.categories == ("stat.ME",)
    assert paper.comment is None


def test_the_atom_form_says_the_same_as_rss() -> None:
    paper, kind = parse(recorded("cs.AI.2025-08-20.atom.xml")).items[0]

    assert kind == "cross"
    assert paper.title.startswith("ALIGN: Word Association Learning")
    assert paper.authors == ("Chunhua Liu", "Kabir Manandhar Shrestha", "Sukai Huang")
    assert paper.categories == ("cs.CL", "cs.AI")
    assert paper.abstract.startswith("As large language models (LLMs) increasingly mediate")
    assert paper.license == "http://creativecommons.org/licenses/by-nc-sa/4.0/"


def test_an_atom_feed_without_entries_is_dated_by_its_update() -> None:
    feed = b'<feed xmlns="http://www.w3.org/2005/Atom"><updated>2026-08-01T04:00:14+00:00</updated></feed>'

    assert parse(feed).date == date(2026, 8, 1)


def test_the_day_is_the_one_in_new_york() -> None:
    assert parse(a_feed(day="Wed, 10 Dec 2025 03:00:00 +0000")).date == date(2025, 12, 9)


def test_an_old_identifier_keeps_its_archive() -> None:
    paper = only(a_feed(an_item(guid="oai:arXiv.org:hep-th/9901001v12")))

    assert (paper.id, paper.version) == ("hep-th/9901001", 12)


def test_line_breaks_inside_an_abstract_stay() -> None:
    paper = only(a_feed(an_item(abstract="  First line\n  second paragraph.\n ")))

    assert paper.abstract == "First line\n  second paragraph."


def test_a_title_becomes_one_line() -> None:
    assert only(a_feed(an_item(title="A long\n  title"))).title == "A long title"


def test_entities_are_decoded_once() -> None:
    paper = only(a_feed(an_item(title="Q&amp;A &lt;b&gt; &amp;amp; &#233;")))

    assert paper.title == "Q&A <b> &amp; é"


def test_accents_are_decoded_and_formulas_left_alone() -> None:
    paper = only(
        a_feed(an_item(title=r"A Poincar\'e bound of $\'e$", creator=r"Jakob Knollm\"uller, {\O}ystein \L{}uk"))
    )

    assert paper.title == r"A Poincaré bound of $\'e$"
    assert paper.authors == ("Jakob Knollmüller", "Øystein Łuk")


def test_text_is_composed() -> None:
    assert only(a_feed(an_item(title="Cafe\u0301"))).title == "Café"


@pytest.mark.parametrize(
    ("creator", "authors"),
    [
        ("", ()),
        ("Ada Lovelace", ("Ada Lovelace",)),
        ("Ada Lovelace and Charles Babbage", ("Ada Lovelace", "Charles Babbage")),
        ("A. One, B. Two, and C. Three", ("A. One", "B. Two", "C. Three")),
        ("Sammy Davis, Jr., Henry Ford, II, Ivan V. Vole", ("Sammy Davis Jr.", "Henry Ford II", "Ivan V. Vole")),
        ("A. One (MIT, Cambridge), B. Two", ("A. One (MIT, Cambridge)", "B. Two")),
        ("A. One,B. Two ,  C. Three,", ("A. One", "B. Two", "C. Three")),
        ("A. One, , B. Two", ("A. One", "B. Two")),
        ("Emil V. Vole, V. Ivanov, Ivan I", ("Emil V. Vole", "V. Ivanov", "Ivan I")),
        ("The Belle and BaBar Collaborations, A. One", ("The Belle and BaBar Collaborations", "A. One")),
    ],
)
def test_authors_are_taken_apart(creator: str, authors: tuple[str, ...]) -> None:
    assert only(a_feed(an_item(creator=creator))).authors == authors


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (an_item(guid="oai:arXiv.org:nonsense"), "guid 'oai:arXiv.org:nonsense' is not oai:arXiv.org:<id>v<version>"),
        (an_item(kind="retold"), "announce type 'retold' is none of cross, new, replace, replace-cross"),
        (an_item(title="  "), "title: String should have at least 1 character"),
        (an_item(abstract="x" * 300_000), "characters are too long"),
        (an_item(abstract="\u4e2d" * 100_000), "larger than 245760 bytes"),
    ],
)
def test_a_bad_item_is_rejected_and_told_while_the_good_one_beside_it_stays(bad: str, why: str) -> None:
    announcement = parse(a_feed(bad, an_item(guid="oai:arXiv.org:2512.00002v1")))

    assert [item.paper.id for item in announcement.items] == ["2512.00002"]
    assert announcement.rejected[0].startswith("item 1: ")
    assert why in announcement.rejected[0]


def test_a_feed_of_bad_items_only_is_unusable_and_not_an_empty_day() -> None:
    with pytest.raises(UnusableDocument, match="none of the 2 items can be read; item 1: guid 'x'"):
        parse(a_feed(an_item(guid="x"), an_item(guid="y")))


@pytest.mark.parametrize("character", [*FORBIDDEN, "&#1;", "&#xFFFE;", "&#xD800;", "&#1114112;", "&nbsp;", "&"])
def test_a_character_that_xml_forbids_does_not_cost_the_day(character: str) -> None:
    announcement = parse(a_feed(an_item(title=f"A{character}B", abstract="good"), an_item()))

    assert len(announcement.items) == 2
    assert not set(announcement.items[0].paper.title) & set(FORBIDDEN)


def test_a_broken_byte_costs_one_letter() -> None:
    document = a_feed(an_item(title="Caf\xe9")).replace("\xe9".encode(), b"\xe9")

    assert only(document).title == "Caf\ufffd"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "the document is empty"),
        (b" \n", "the document is empty"),
        (b"<!DOCTYPE html><html><body>Down</body></html>", "an HTML page instead of an XML feed"),
        (b"<html><body/></html>", "an HTML page"),
        ((RECORDED / "error_429_rate_exceeded_body.txt").read_bytes(), "got text instead .* 'Rate exceeded.'"),
        (recorded("cs.AI.2025-08-20.truncated.atom.xml"), "not well-formed XML, perhaps cut off: Premature end"),
        (recorded(WEEK[2])[:200_000], "not well-formed XML, perhaps cut off"),
        (b"<OAI-PMH/>", "expected an RSS 2.0 or Atom feed, got <OAI-PMH>"),
        (b"<rss version='2.0'/>", "has no channel"),
        (b"<rss version='2.0'><channel><item/></channel></rss>", "no readable date"),
        (
            b"<feed xmlns='http://www.w3.org/2005/Atom'><updated>0001-01-01T00:00:00Z</updated></feed>",
            "no readable date",
        ),
        (b"<rss>" + b" " * MAX_DOCUMENT, "larger than 33554432 bytes"),
        ((RECORDED / "error_incorrect_id_format_abc_http400.xml").read_bytes(), "none of the 1 items can be read"),
    ],
)
def test_what_is_no_announcement_is_refused_by_name(document: bytes, why: str) -> None:
    with pytest.raises(UnusableDocument, match=why):
        parse(document)


def test_the_content_type_is_told_with_the_refusal() -> None:
    with pytest.raises(UnusableDocument, match=r"HTML page instead of an XML feed \(text/html\)"):
        parse(b"<html/>", content_type="text/html")


def test_a_billion_laughs_are_refused_before_they_are_told() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{laughs}]><rss><channel>&l9;</channel></rss>'

    with pytest.raises(UnusableDocument, match="DOCTYPE"):
        parse(document.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_doctype_does_not_pass_in_another_encoding(encoding: str) -> None:
    document = '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "x">]><rss><channel>&a;</channel></rss>'

    with pytest.raises(UnusableDocument):
        parse(document.encode(encoding))


def test_an_unusable_document_may_be_usable_later() -> None:
    assert issubclass(UnusableDocument, Transient)


def test_the_same_bytes_give_the_same_announcement() -> None:
    assert parse(recorded(WEEK[2])) == parse(recorded(WEEK[2]))


def test_a_combined_feed_holds_each_paper_once() -> None:
    ids = [item.paper.id for item in parse(recorded(f"{ALL}.2025-12-10.xml")).items]

    assert len(ids) == len(set(ids)) == 199


def read_or_refused(document: bytes) -> Announcement | None:
    try:
        return parse(document)
    except UnusableDocument:
        return None


@given(st.binary(max_size=400))
@example(b"<rss><channel><pubDate>Fri, 99 Jan 2025 00:00:00 -0500</pubDate></channel></rss>")
@example(b"<rss><channel><pubDate>Fri, 1 Jan 0001 00:00:00 +1400</pubDate></channel></rss>")
@example(b"<?xml version='1.0' encoding='nonsense'?><rss/>")
@example(b"<?xml version='1.0' encoding='utf-16'?><rss/>")
@example(b"<rss xmlns='x'><channel/></rss>")
def test_arbitrary_bytes_are_read_or_refused(document: bytes) -> None:
    assert read_or_refused(document) is None or isinstance(read_or_refused(document), Announcement)


@given(st.integers(0, 11_000), st.binary(max_size=30), st.integers(0, 60))
def test_a_damaged_announcement_is_read_or_refused(at: int, inserted: bytes, lost: int) -> None:
    whole = recorded("cs.AI.2025-08-20.atom.xml")
    announcement = read_or_refused(whole[:at] + inserted + whole[at + lost :])

    assert announcement is None or len(announcement.items) + len(announcement.rejected) <= 8


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_text_holds_no_character_reaches_a_paper_that_xml_forbids(title: str, creator: str) -> None:
    escaped = [text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in (title, creator)]
    announcement = parse(a_feed(an_item(title=f"T{escaped[0]}", creator=escaped[1]), an_item()))

    papers = [item.paper for item in announcement.items]
    assert not set(FORBIDDEN) & set("".join(paper.model_dump_json() for paper in papers))
