"""PDFs to sections."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.texts import pdf
from services.fetcher.texts.sections import NoText
from shared.texts import Section
from tests.fulltexts import ATLAS, FILLER, a_pdf, a_pdf_whose_pages_contain_themselves, an_encrypted_pdf

BODY = [FILLER.strip()] * 8


def parsed(*pages: list[str]) -> dict[str, str]:
    return {section.heading: section.text for section in pdf.sections(["\r\n".join(page) for page in pages])}


@pytest.fixture(scope="module")
def atlas() -> tuple[Section, ...]:
    return pdf.parse(ATLAS)


def test_a_real_papers_sections_are_found(atlas: tuple[Section, ...]) -> None:
    assert [section.heading for section in atlas] == [
        "Abstract",
        "1 Introduction",
        "2 The ATLAS detector and data samples",
        "3 Monte Carlo simulated samples",
        "4 Object reconstruction and identification",
        "5 Analysis strategy and fit description",
        "6 Event selection and signal regions definitions",
        "7 Background estimation and validation",
        "8 Systematic uncertainties",
        "9 Results, interpretation and limits",
        "10 Conclusion",
    ]


def test_words_that_a_line_breaks_are_whole_again(atlas: tuple[Section, ...]) -> None:
    assert "that assume R-parity is conserved and the neutralino" in atlas[0].text
    assert "mass-degenerate first- and second-generation squarks" in atlas[0].text


@pytest.mark.parametrize(
    "cut", ["Kulesza", "We thank CERN", "University of Wisconsin", "arXiv:1605.03814v2", "Phys. J. C(2016)"]
)
def test_a_real_papers_front_references_and_thanks_are_cut(atlas: tuple[Section, ...], cut: str) -> None:
    assert cut not in "\n".join(section.text for section in atlas)


def test_running_heads_and_page_numbers_are_cut() -> None:
    pages = [["A. Author: On GPUs", *BODY, str(number)] for number in range(1, 6)]

    text = "\n".join(parsed(["1 Introduction", *BODY], *pages).values())

    assert "On GPUs" not in text
    assert text.startswith("Every level")
    assert text.endswith("time stamps.")


def test_only_a_number_in_sequence_makes_a_heading() -> None:
    found = parsed(["1 Introduction", *BODY, "7 TeV Collisions", "2 Method", *BODY, "2.1 Details", *BODY])

    assert list(found) == ["1 Introduction", "2 Method"]
    assert "7 TeV Collisions" in found["1 Introduction"]
    assert "2.1 Details" in found["2 Method"]


def test_roman_numbers_and_run_in_abstracts_are_understood() -> None:
    front = ["A Title", "Jane Doe", "Abstract—We measure GPUs.", *BODY]

    found = parsed([*front, "I. INTRODUCTION", *BODY, "II. METHOD", *BODY, "III. RESULTS", *BODY])

    assert list(found) == ["Abstract", "I. INTRODUCTION", "II. METHOD", "III. RESULTS"]
    assert found["Abstract"].startswith("We measure GPUs.")


def test_an_appendix_after_the_references_is_kept() -> None:
    found = parsed(["Introduction", *BODY, *BODY, "References", "[1] J. Doe. Kernels.", "Appendix A Proofs", *BODY])

    assert list(found) == ["Introduction", "Appendix A Proofs"]


def test_broken_words_are_joined_and_ligatures_written_out() -> None:
    found = parsed(["Introduction", "The eﬃ-", "ciency of ﬂow con\x02trol is well-", "known.", *BODY, *BODY])

    assert found["Introduction"].startswith("The efficiency of flow control is wellknown.")


LINES = st.sampled_from(
    ["1 Introduction", "Abstract", "References", "A Proofs", "Appendix", "2", "Abstract—", "II. X", "", "a-", *BODY]
)


@given(st.lists(st.lists(LINES | st.text(max_size=80), max_size=30), max_size=6))
def test_whatever_stands_on_the_pages_is_a_text_or_none(pages: list[list[str]]) -> None:
    with suppress(NoText):
        assert all(section.text for section in pdf.sections(["\n".join(page) for page in pages]))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "cannot be read"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 40, "cannot be read"),
        (ATLAS[:20_000], "cannot be read|it holds only"),
        (an_encrypted_pdf(), "it is encrypted"),
        (a_pdf_whose_pages_contain_themselves(), "cannot be read|it holds only"),
        (a_pdf(["Only this"]), "it holds only 9 characters"),
        (b"<html><body>Rate exceeded.</body></html>", "cannot be read"),
    ],
    ids=["empty", "garbage", "truncated", "encrypted", "endless tree", "a scan", "HTML"],
)
def test_a_document_without_text_is_no_text(document: bytes, reason: str) -> None:
    with pytest.raises(NoText, match=reason):
        pdf.parse(document)
