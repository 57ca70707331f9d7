"""What arXiv's query API answers, read into papers: every recorded answer, and what may come on bad days."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.sources.arxiv_api import ApiError, Page, UnusableDocument, parse
from tests.announcements import RECORDED

ATOM = RECORDED / "atom"
COUNTS = {
    "cat_cs.LG_or_cs.AI_2026-04-30_max20.xml": (20, 364_218, 0, 20),
    "empty_id_0000.0000.xml": (0, 0, 0, 100),
    "harsh_4_journal_ref.xml": (4, 4, 0, 15),
    "id_1707.08567.xml": (1, 1, 0, 100),
    "id_old_style_astro-ph_0601001.xml": (1, 1, 0, 100),
    "ids_one_missing_one_found.xml": (1, 1, 0, 100),
    "old_format_au_del_maestro.xml": (10, 31, 0, 10),
    "q_testing_start0_max10.xml": (10, 214_881, 0, 10),
    "q_testing_start0_max100.xml": (100, 214_881, 0, 100),
    "q_testing_start10_max10.xml": (10, 214_881, 10, 10),
}


def recorded(name: str) -> Page:
    return parse((ATOM / name).read_bytes(), content_type="application/atom+xml")


def an_answer(*entries: str, total: str = "1") -> bytes:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:o="http://a9.com/-/spec/opensearch/1.1/">'
        f"<o:totalResults>{total}</o:totalResults><o:startIndex>0</o:startIndex><o:itemsPerPage>9</o:itemsPerPage>"
        f"{''.join(entries)}</feed>"
    ).encode()


def an_entry(
    *,
    address: str = "http://arxiv.org/abs/2512.08242v3",
    title: str = "A title",
    more: str = '<category term="cs.DC"/>',
    dates: str = "<published>2025-12-09T12:00:00Z</published><updated>2025-12-11T03:30:00Z</updated>",
) -> str:
    return f"<entry><id>{address}</id><title>{title}</title>{dates}<summary> An abstract. </summary>{more}</entry>"


def test_there_is_an_expectation_for_every_recorded_answer() -> None:
    assert {path.name for path in ATOM.iterdir()} == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_every_recorded_answer_is_read_to_its_count(name: str) -> None:
    page = recorded(name)

    assert (len(page.items), page.total, page.start, page.per_page) == COUNTS[name]
    assert page.rejected == ()
    assert {item.kind for item in page.items} <= {"backfill"}
    assert len({item.paper.versioned_id for item in page.items}) == len(page.items) == len(page.dates)
    assert all(item.paper.authors and item.paper.abstract and item.paper.categories for item in page.items)


def test_a_paper_has_all_that_the_answer_says() -> None:
    page = recorded("q_testing_start0_max10.xml")

    paper = page.items[0].paper
    assert paper.model_dump(exclude={"abstract", "posted", "url"}) == {
        "id": "2202.12139",
        "version": 1,
        "title": "Testing Deep Learning Models: A First Comparative Study of Multiple Testing Techniques",
        "authors": ("Mohit Kumar Ahuja", "Arnaud Gotlieb", "Helge Spieker"),
        "categories": ("cs.SE", "cs.LG"),
        "doi": "10.1109/ICSTW55395.2022.00035",
        "journal_ref": "Artificial Intelligence in Software Testing @ 2022 IEEE International Conference on Software "
        "Testing, Verification and Validation Workshops (ICSTW)",
        "comment": "Artificial Intelligence in Software Testing 2022 workshop @ ICST 2022",
        "license": None,
        "source": "arxiv",
    }
    assert page.dates[0].published == datetime(2022, 2, 24, 15, 5, 19, tzinfo=UTC)


def test_an_id_of_the_old_style_and_a_later_version_are_read() -> None:
    assert recorded("id_old_style_astro-ph_0601001.xml").items[0].paper.versioned_id == "astro-ph/0601001v1"
    page = recorded("q_testing_start10_max10.xml")
    assert page.items[0].paper.versioned_id == "2403.16981v2"
    assert page.dates[0].updated.date().isoformat() == "2025-05-24"


def test_in_the_old_format_the_primary_category_comes_first_and_titles_are_one_line() -> None:
    page = recorded("old_format_au_del_maestro.xml")

    assert page.items[0].paper.categories == ("cond-mat.mes-hall", "cond-mat.other")
    assert page.items[0].paper.authors == ("Adrian Del Maestro",)
    assert all("\n" not in item.paper.title for item in page.items)


def test_accents_are_decoded_names_stay_whole_and_other_classifications_are_left_out() -> None:
    authors = "".join(f"<author><name>{name}</name></author>" for name in (r"Paul Erd\H{o}s", "Ana\n Lima, Jr.", " "))
    classes = "".join(f'<category term="{term}"/>' for term in ("cs.DC", "math.GT", "62G10; 62H15", "I.2.7"))
    primary = '<arxiv:primary_category term="math.GT"/>'

    (item,) = parse(an_answer(an_entry(title="A\n  title", more=authors + classes + primary))).items

    assert item.paper.authors == ("Paul Erdős", "Ana Lima, Jr.")
    assert item.paper.categories == ("math.GT", "cs.DC")
    assert item.paper.title == "A title"
    assert item.paper.abstract == "An abstract."


def test_the_error_entry_is_an_error_with_arxivs_words() -> None:
    with pytest.raises(ApiError, match=r"^incorrect id format for abc$"):
        parse((RECORDED / "error_incorrect_id_format_abc_http400.xml").read_bytes())


def test_a_paper_may_be_called_error() -> None:
    assert parse(an_answer(an_entry(title="Error"))).items[0].paper.title == "Error"


def test_a_bad_entry_costs_only_itself() -> None:
    page = parse(an_answer(an_entry(), an_entry(title=""), an_entry(dates=""), an_entry(address="x")))

    assert len(page.items) == len(page.dates) == 1
    assert [told.partition(":")[0] for told in page.rejected] == ["entry 2", "entry 3", "entry 4"]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ((RECORDED / "error_429_rate_exceeded_body.txt").read_bytes(), "got text .* 'Rate exceeded.'"),
        (b"<html><body>down</body></html>", "HTML page"),
        ((ATOM / "id_1707.08567.xml").read_bytes()[:2_000], "not well-formed XML"),
        ((RECORDED / "rss" / "cs.AI.2025-08-20.atom.xml").read_bytes(), "expected an answer of arXiv's query API"),
        ((RECORDED / "rss" / "cs.CL.2025-12-10.xml").read_bytes(), "expected an answer of arXiv's query API"),
        (an_answer(total="many"), "totalResults is 'many', not a number"),
        (an_answer(an_entry(address="http://arxiv.org/abs/2512.08242")), "none of the 1 entries can be read"),
        (b"", "empty"),
    ],
)
def test_what_is_no_answer_of_the_api_is_told(document: bytes, why: str) -> None:
    with pytest.raises(UnusableDocument, match=why):
        parse(document)


@given(st.integers(0, 4_000), st.binary(min_size=1, max_size=8))
def test_damage_is_read_or_told_and_never_a_crash(at: int, noise: bytes) -> None:
    document = (ATOM / "id_1707.08567.xml").read_bytes()
    try:
        page = parse(document[:at] + noise + document[at + len(noise) :])
    except UnusableDocument:
        return
    assert len(page.items) <= 1
