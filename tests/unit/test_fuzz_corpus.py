"""Whatever the fuzzers found once is read or refused, by every parser and quickly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.announcements import a_feed, an_item
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent.parent / "fuzz" / "corpus"
FILES = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.timeout(60)
@pytest.mark.parametrize("form", TARGETS)
def test_every_input_of_the_corpus_is_read_or_refused(form: str) -> None:
    for path in FILES:
        try:
            TARGETS[form](path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path.relative_to(CORPUS)}: {error!r}") from error


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "repeated",
    [r"\'", r"{\o", "$", r"\(", " ,", "(", " and ", r"\'{", r"\v ", r"\H{", "Team, ", ", Jr.", "(a, "],
)
def test_no_repetition_takes_long(repeated: str) -> None:
    text = repeated * (200_000 // len(repeated))

    TARGETS["arxiv_rss"](a_feed(an_item(title=f"A {text}"), an_item(creator=text), an_item(abstract=text)))


def test_no_list_of_categories_makes_a_paper_larger_than_a_message() -> None:
    entry = (CORPUS / "arxiv_api" / "journal_ref.xml").read_bytes()
    for terms in (["a" * 400_000], ["a-" * 150_000 + "a"], ["abc" + "d" * n for n in range(1_000)]):
        categories = b"".join(b'<category term="%s"/>' % term.encode() for term in terms)
        TARGETS["arxiv_api"](entry.replace(b"</entry>", categories + b"</entry>"))


def test_there_is_a_corpus_for_every_parser() -> None:
    assert {"arxiv_api", "arxiv_oai", "arxiv_rss"} <= {path.name for path in CORPUS.iterdir()}
    assert len(FILES) >= 15
