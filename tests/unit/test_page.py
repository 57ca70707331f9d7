"""The web pages as documents; how they behave in a browser is in tests/web."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from lxml import html

from services.publisher.page import STATIC, day_page, feeds_page, not_found_page, paper_page, status_page
from services.publisher.truth import check_sentence, day_sentences, status_sentence
from shared.fetcher_state import FetcherState
from shared.messages import AnnouncementChecked, Reason
from tests.builders import a_check, a_gap, a_paper
from tests.entries import NASTY, PUBLIC_URL, a_batch, a_day, a_summary, an_entry

FEEDS = [("gpu", "GPUs & more"), ("llm", "Language models")]


def page(*entries: object, **changes: object) -> html.HtmlElement:
    """The day page of those entries."""
    return html.document_fromstring(day_page(a_day(*entries, **changes), FEEDS, public_url=PUBLIC_URL))  # type: ignore[arg-type]


def texts(document: html.HtmlElement, css_class: str) -> list[str]:
    found = document.xpath(f"//*[contains(concat(' ', @class, ' '), ' {css_class} ')]")
    return [" ".join(element.text_content().split()) for element in found]


def test_a_card_shows_rank_authors_summary_and_why() -> None:
    document = page(an_entry(3, paper=a_paper(authors=tuple(f"A{n}" for n in range(9)), version=2), kind="cross"))

    assert texts(document, "meta") == ["3 A0, A1, A2, A3, A4 and 4 more · cs.DC · v2, cross-list"]
    assert texts(document, "lead") == ["Chopper measures where GPUs wait."]
    assert texts(document, "why") == ["Why: GPU (title), LLM (abstract) · score 8.5"]


def test_a_page_has_one_first_heading_and_a_second_for_each_paper() -> None:
    document = page(an_entry(1), an_entry(2))

    assert document.xpath("//h1/text()") == ["Wednesday, 10 December 2025"]
    assert len(document.xpath("//article//h2")) == 2


def test_matched_terms_are_marked_in_summary_and_abstract() -> None:
    terms = ("GPU", "large language-model")
    entry = an_entry(reasons=tuple(Reason(term=term, field="abstract", weight=1) for term in terms))

    assert page(entry).xpath("//mark/text()") == ["GPUs", "large language models", "GPUs"]


def test_an_authors_term_marks_nothing() -> None:
    assert page(an_entry(reasons=(Reason(term="GPU", field="authors", weight=1),))).xpath("//mark") == []


def test_marking_leaves_tags_and_entities_whole() -> None:
    entry = an_entry(
        summary=a_summary(tldr="R&D of $x_{max}$ sub amp"),
        reasons=tuple(Reason(term=term, field="abstract", weight=1) for term in ("amp", "sub")),
    )

    assert page(entry).xpath("//p[@class='lead']//mark/text()") == ["sub", "amp"]
    assert texts(page(entry), "lead") == ["R&D of xmax sub amp"]


def test_a_paper_without_summary_opens_its_abstract_and_says_why() -> None:
    document = page(an_entry(summary=None, no_summary="the model refused"))

    assert texts(document, "absent") == ["No summary: the model refused."]
    assert len(document.xpath("//details[@class='abstract'][@open]")) == 1
    assert texts(document, "lead") == []


def test_an_extraction_is_marked_on_its_card_and_in_the_foot() -> None:
    document = page(an_entry(summary=replace(a_summary(), made_by="extraction", model=None)))

    assert texts(document, "origin") == ["Sentences chosen from the abstract by rule, no model involved."]
    assert "no model was involved" in document.xpath("string(//footer)")


def test_a_page_names_the_models_once_in_the_foot() -> None:
    assert page(an_entry(1), an_entry(2)).xpath("string(//footer)").count("test-model") == 1


def test_neighbouring_days_are_real_links() -> None:
    days = page(an_entry()).xpath("//nav[@aria-label='Days']/a")

    assert [(link.get("rel"), link.get("href"), link.text) for link in days] == [
        ("prev", "/feeds/gpu?date=2025-12-09", "← Earlier day (Tuesday)"),
        ("next", "/feeds/gpu?date=2025-12-11", "Later day (Thursday) →"),
    ]


def test_days_that_are_not_there_are_not_linked() -> None:
    assert page(an_entry(), earlier=None, later=None).xpath("//a[@rel]") == []


def test_a_feeds_page_offers_exactly_its_own_feeds_to_readers() -> None:
    links = page(an_entry()).xpath("//link[@rel='alternate']/@href")

    assert links == [f"{PUBLIC_URL}/feeds/gpu{suffix}" for suffix in (".rss", ".atom", ".json")]


def test_the_page_of_all_feeds_says_which_feed_took_a_paper() -> None:
    document = page(an_entry(), slug=None)

    assert texts(document, "meta")[0].endswith("in GPUs & more")
    assert len(document.xpath("//link[@rel='alternate']")) == 6


def test_a_long_day_goes_on_as_titles() -> None:
    document = page(*(an_entry(rank) for rank in range(1, 61)))

    assert len(document.xpath("//article")) == 50
    assert len(document.xpath("//ol[@class='titles']/li")) == 10


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({}, ["1 of 412 papers, all summarised."]),
        (
            {"waiting": 8, "published": 22},
            ["1 of 412 papers, all summarised.", "8 more over all feeds wait for a summary."],
        ),
        ({"scored": 411}, ["1 of 412 papers, all summarised.", "1 paper still has to be ranked."]),
        (
            {"dead_papers": 2, "scored": 410},
            ["1 of 412 papers, all summarised.", "2 papers could not be processed and will be looked at."],
        ),
    ],
)
def test_the_day_begins_with_a_sentence_of_truth(changes: dict[str, int], sentences: list[str]) -> None:
    assert day_sentences(a_day(an_entry(), batch=a_batch(**changes))) == sentences


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("weekend", "arXiv announces nothing on Saturday and Sunday."),
        ("holiday", "arXiv announced nothing on this day: a holiday."),
        ("nothing new", "The announcement of this day held nothing new."),
        ("upstream stale", "arXiv still showed an earlier announcement on this day; it was not read again."),
        (None, "The announcement of this day was empty."),
    ],
)
def test_an_empty_day_says_why(reason: str | None, sentence: str) -> None:
    empty = a_batch(announced=0, scored=0, selected=0, published=0, reason=reason)

    assert texts(page(batch=empty), "truth") == [sentence]


def test_a_day_on_which_nothing_matched_says_how_much_there_was() -> None:
    nothing = a_batch(selected=0, published=0)

    assert day_sentences(a_day(batch=nothing)) == ["412 papers announced, none matched."]


def test_a_day_that_was_never_read_says_so() -> None:
    assert day_sentences(a_day(batch=None)) == ["No announcement of this day has been read."]


def test_the_status_says_first_whether_all_is_well() -> None:
    complete, underway = a_batch(), a_batch(date=date(2025, 12, 9), scored=400)

    assert status_sentence([complete]) == (
        "Everything is up to date: 412 papers of Wednesday, 10 December 2025, 30 entries published."
    )
    assert status_sentence([complete, underway]).startswith("1 announcement is not complete yet.")
    assert status_sentence([]) == "No announcement has been read yet."


AT = datetime(2025, 12, 11, 6, 5, tzinfo=UTC)


def test_the_status_says_why_arxiv_cannot_be_read() -> None:
    failed = FetcherState(outcome="failed", reason="unavailable: <503>", checked=AT, retry_at=AT + timedelta(minutes=4))

    document = html.document_fromstring(status_page([a_batch()], FEEDS, public_url=PUBLIC_URL, fetcher=failed))

    assert texts(document, "notice") == [
        "Note: arXiv could not be read on Thursday, 11 December 2025, 06:05 UTC: unavailable: <503>. "
        "It is asked again after Thursday, 11 December 2025, 06:09 UTC."
    ]
    assert texts(document, "truth")[0].startswith("Everything that was announced is complete: 412 papers")


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("unchanged", "arXiv was last asked on Thursday"),
        ("upstream stale", "arXiv still showed an earlier announcement"),
    ],
)
def test_the_status_says_when_arxiv_was_asked(outcome: str, says: str) -> None:
    state = FetcherState(outcome=outcome, checked=AT)

    document = html.document_fromstring(status_page([a_batch()], FEEDS, public_url=PUBLIC_URL, fetcher=state))

    assert texts(document, "truth")[1].startswith(says)
    assert texts(document, "notice") == []


def test_the_status_lists_the_newest_announcement_first() -> None:
    statuses = [a_batch(date=date(2025, 12, 9)), a_batch()]

    document = html.document_fromstring(status_page(statuses, FEEDS, public_url=PUBLIC_URL, notice="Arrears."))

    assert document.xpath("//tbody//time/text()") == ["2025-12-10", "2025-12-09"]
    assert texts(document, "notice") == ["Note: Arrears."]


def test_the_status_counts_each_category_of_each_day() -> None:
    rows = (a_gap(), a_gap("cs.CL", stale=True), a_gap("cs.DC", None), a_gap("cs.LG", 9, late=2))
    checks = [a_check(categories=rows, complete=False), a_check(date=date(2025, 12, 9))]

    document = html.document_fromstring(status_page([a_batch()], FEEDS, public_url=PUBLIC_URL, checks=checks))

    first, second = document.iterfind(".//main//details")
    table = [
        [" ".join("".join(map(str, cell.itertext())).split()) for cell in row] for row in first.iterfind(".//tbody/tr")
    ]
    assert table == [
        ["cs.AI", "! incomplete", "12", "9", "3", "0"],
        ["cs.CL", "! stale", "12", "9", "3", "0"],
        ["cs.DC", "not counted", "?", "9", "0", "0"],
        ["cs.LG", "✓ complete", "9", "9", "0", "2"],
    ]
    assert [details.get("open") is not None for details in (first, second)] == [True, False]


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (a_check(), "Everything that the source lists has come."),
        (a_check(complete=False), "Not everything has come yet."),
        (a_check(reason="A holiday.", categories=()), "A holiday."),
        (
            a_check(categories=(a_gap(announced=None),)),
            "Nothing is known to be missing; the source's own count could not be read for every category.",
        ),
    ],
)
def test_a_days_completeness_is_said_in_words(check: AnnouncementChecked, sentence: str) -> None:
    assert check_sentence(check) == sentence


def test_a_day_that_is_not_complete_is_said_at_the_top() -> None:
    checks = [a_check(date=date(2025, 12, 11)), a_check(complete=False, reason="cs.AI lacks 3 papers.")]

    assert status_sentence([a_batch()], checks=checks).endswith("Wednesday, 10 December 2025: cs.AI lacks 3 papers.")


def test_a_papers_own_page_has_all_of_it() -> None:
    paper = a_paper(authors=tuple(f"A{n}" for n in range(9)), comment="9 pages", doi="10.1/x")
    entries = [an_entry(paper=paper), an_entry(paper=paper, feed="llm", rank=7)]

    document = html.document_fromstring(paper_page(paper, entries, FEEDS, public_url=PUBLIC_URL))

    assert texts(document, "meta")[0] == "A0, A1, A2, A3, A4, A5, A6, A7, A8"
    assert [why.split(":")[0] for why in texts(document, "why")] == ["Why in GPUs & more", "Why in Language models"]
    assert "Summary by test-model from the abstract; it can be wrong." in texts(document, "origin")
    assert document.xpath("//h2/text()") == ["Method and result", "Abstract", "Also known"]


def test_a_page_says_what_the_models_have_read() -> None:
    of_text = an_entry(1, summary=a_summary(source="full text"))
    of_abstract = an_entry(2, paper=a_paper(id="2512.00002"))

    document = html.document_fromstring(paper_page(of_text.paper, [of_text], FEEDS, public_url=PUBLIC_URL))
    day = day_page(a_day(of_text, of_abstract), FEEDS, public_url=PUBLIC_URL).decode()

    assert "Summary by test-model from the full text; it can be wrong." in texts(document, "origin")
    assert "Summaries by test-model from the abstracts or full texts; they can be wrong." in day


def test_a_paper_that_no_feed_took_still_has_its_page() -> None:
    document = html.document_fromstring(paper_page(a_paper(), [], FEEDS, public_url=PUBLIC_URL))

    assert texts(document, "absent") == ["No feed took this paper."]


def test_the_list_of_feeds_links_every_format() -> None:
    document = html.document_fromstring(feeds_page([("gpu", "GPUs", "About GPUs.")], public_url=PUBLIC_URL))

    addresses = document.xpath("//ul[@class='feeds']//ul//a/@href")
    assert addresses == [f"{PUBLIC_URL}/feeds/gpu{suffix}" for suffix in (".rss", ".atom", ".json", ".md")]
    assert document.xpath("//a[@href='/feeds.opml']")


def test_a_missing_page_names_what_was_looked_for() -> None:
    document = html.document_fromstring(not_found_page("<b>", FEEDS, public_url=PUBLIC_URL))

    assert texts(document, "truth") == ["There is nothing here for <b>."]


def test_markup_from_outside_is_no_markup_on_any_page() -> None:
    paper = a_paper(title=NASTY, abstract=NASTY, authors=(NASTY,), categories=(NASTY,), comment=NASTY, doi=NASTY)
    entry = an_entry(paper=paper, summary=a_summary(tldr=NASTY, method=NASTY, model=NASTY), feed="gpu")
    pages = [
        day_page(a_day(entry), [("gpu", NASTY)], public_url=PUBLIC_URL, notice=NASTY),
        paper_page(paper, [entry], [("gpu", NASTY)], public_url=PUBLIC_URL),
        feeds_page([("gpu", NASTY, NASTY)], public_url=PUBLIC_URL),
        status_page([a_batch(reason=NASTY)], [("gpu", NASTY)], public_url=PUBLIC_URL),
        status_page([], FEEDS, public_url=PUBLIC_URL, checks=[a_check(reason=NASTY, categories=(a_gap(NASTY),))]),
    ]

    assert [b"<script>alert" in content for content in pages] == [False] * 5
    assert not {"\x0b", "\u202e", "\u2066"} & set(b"".join(pages).decode())


def test_links_inside_the_site_follow_the_path_it_is_served_under() -> None:
    content = day_page(a_day(an_entry()), FEEDS, public_url="https://example.org/papers")

    links = [str(link.get("href")) for link in html.document_fromstring(content).iterfind(".//header//a")]
    assert links[0] == "/papers/"
    assert [link.startswith("/papers/") for link in links] == [True] * len(links)


def test_static_files_carry_their_hash_and_nothing_is_inline() -> None:
    document = page(an_entry())

    sources = [link.rsplit("/", 1)[1] for link in document.xpath("//link[@rel='stylesheet']/@href | //script/@src")]
    assert set(sources) < set(STATIC)
    assert document.xpath("//style | //script[not(@src)] | //@style | //@onclick") == []


def test_the_same_day_gives_the_same_page() -> None:
    day = a_day(an_entry(1), an_entry(2))

    assert day_page(day, FEEDS, public_url=PUBLIC_URL) == day_page(day, FEEDS, public_url=PUBLIC_URL)


def test_a_paper_that_a_search_found_says_by_which_and_marks_no_word_for_it() -> None:
    reasons = (Reason(term="GPU", field="title", weight=1.5), Reason(term="abs:Chopper", field="search", weight=1.0))
    document = page(an_entry(1, reasons=reasons))

    assert texts(document, "why")[0].startswith("Why: GPU (title), found by the search “abs:Chopper” · ")
