"""Which papers count as withdrawn, and how readers are told."""

from __future__ import annotations

import feedparser
import pytest

from services.publisher.formats import atom, rss
from services.publisher.page import paper_page
from services.publisher.words import headline, withdrawn
from tests.builders import a_paper
from tests.entries import PUBLIC_URL, a_feed, an_entry
from tests.special import special

SAID = [
    "This paper has been withdrawn",
    "This paper has been withdrawn by the author. Look at the ICML version\n  instead",
    "This article has been withdrawn because it has been merged with the\n  earlier article",
    "Submitted to IEEE Trans., June 03, 2007, for review,\n  This paper has been withdrawn by the authors.",
    "This preprint has been withdrawn.",
    "This submission has been withdrawn by arXiv administrators due to disputed authorship",
    "arXiv admin note: This version has been withdrawn by arXiv administrators",
    "arXiv admin note: submission has been withdrawn by arXiv administrators",
    "12 pages; this manuscript is withdrawn due to an error in Lemma 3",
    "Withdrawn",
    "Withdrawn by the authors",
    "Paper withdrawn due to a mistake",
]
OTHERWISE = [
    "17 pages, 6 figures; paper withdrawn from IEEE Transactions on Signal\n  Processing and resubmitted",
    "This paper was withdrawn from the IJCAI 2025 proceedings",
    "Substantial revision of the withdrawn earlier version",
    "An earlier version of this paper has been withdrawn and rewritten",
    "Withdrawn from the proceedings because the author was unable to attend",
    "Attacks on withdrawn certificates",
    "",
]


@pytest.mark.parametrize("comment", SAID)
def test_a_paper_that_says_so_is_withdrawn(comment: str) -> None:
    assert withdrawn(a_paper(comment=comment))


@pytest.mark.parametrize("comment", OTHERWISE)
def test_a_paper_that_was_withdrawn_from_elsewhere_or_before_is_not(comment: str) -> None:
    assert not withdrawn(a_paper(comment=comment))


def test_none_of_the_recorded_papers_that_only_speak_of_withdrawals_is_taken_for_withdrawn() -> None:
    assert [paper.id for paper in special("withdrawn") if withdrawn(paper)] == []


def test_an_abstract_says_it_in_its_first_words() -> None:
    assert withdrawn(a_paper(abstract="  This paper has been withdrawn by the\nauthor, due an error in claim 1."))
    assert not withdrawn(a_paper(abstract="We ask why. This paper has been withdrawn is what many comments say."))


@pytest.mark.parametrize("form", [rss, atom])
def test_an_item_says_it_in_its_title_and_in_its_first_words(form: object) -> None:
    entry = an_entry(paper=a_paper(comment="This paper has been withdrawn"))
    render = form.render  # type: ignore[attr-defined]
    (item,) = feedparser.parse(render(a_feed(entry))).entries

    assert item.title == f"Withdrawn: {a_paper().title}"
    assert item.content[0].value.startswith("<p><b>This paper has been withdrawn.</b></p>")


def test_the_page_strikes_the_title_and_says_why() -> None:
    paper = a_paper(comment="This paper has been withdrawn")
    page = paper_page(paper, [an_entry(paper=paper)], [("gpu", "GPUs")], public_url=PUBLIC_URL).decode()

    assert f"<s>{paper.title}</s></h1>" in page
    assert "<b>This paper has been withdrawn.</b>" in page
    assert headline(a_paper()) == a_paper().title
