from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.summarizer.extract import FIELD_LIMIT, TLDR_LIMIT, extract
from services.summarizer.text import fold
from shared.messages import StructuredSummary
from tests.builders import a_paper

ABSTRACTS: dict[str, str] = json.loads(
    (Path(__file__).parents[1] / "data/llm/abstracts.json").read_text(encoding="utf-8")
)


def extracted(abstract: str) -> StructuredSummary:
    summary = extract(a_paper(abstract=abstract))
    assert summary is not None
    return summary


def test_each_part_gets_the_sentence_that_says_it() -> None:
    summary = extracted(
        "Serving language models is costly. However, existing caches remain limited by memory. "
        "To address this problem, we propose PageKV, a cache that evicts whole sentences. "
        "Specifically, PageKV scores sentences by attention and merges similar ones. "
        "Experiments on five benchmarks show that PageKV halves memory at equal accuracy. "
        "These findings suggest that sentences are the right unit of caching. "
        "Code is available at https://example.org/pagekv."
    )

    assert summary == StructuredSummary(
        tldr="We propose PageKV, a cache that evicts whole sentences.",
        motivation="Existing caches remain limited by memory.",
        method="PageKV scores sentences by attention and merges similar ones.",
        result="Experiments on five benchmarks show that PageKV halves memory at equal accuracy.",
        conclusion="These findings suggest that sentences are the right unit of caching.",
    )


@pytest.mark.parametrize(
    ("paper", "tldr", "result"),
    [
        ("2503.14495", "We present a new temporal consistency method", "Empirical evaluations across diverse"),
        ("2509.11782", "We propose a multimodal framework for predicting", "Extensive experiments demonstrate"),
        ("2510.08779", "We propose a framework that provides", "In the most challenging environment"),
    ],
)  # fmt: skip
def test_real_abstracts_read_well(paper: str, tldr: str, result: str) -> None:
    summary = extracted(ABSTRACTS[paper])

    assert summary.tldr.startswith(tldr)
    assert summary.result.startswith(result)


def test_a_paper_without_an_abstract_has_no_summary() -> None:
    assert extract(a_paper(abstract="")) is None
    assert extract(a_paper(abstract=" \n ")) is None


def test_an_abstract_of_one_sentence_is_its_own_headline() -> None:
    assert extracted("The bound is sharp.") == StructuredSummary(tldr="The bound is sharp.")


def test_a_link_is_no_sentence_worth_showing() -> None:
    assert extracted("We prove a bound. https://example.org/code").tldr == "We prove a bound."


def test_a_name_in_small_letters_stays_so_at_the_start() -> None:
    assert extracted("Fast is good. To this end, we propose cuFoo. However, cuBar remains slow.").tldr == (
        "We propose cuFoo."
    )
    assert extracted("However, cuBar remains slow. We propose cuFoo.").motivation == "cuBar remains slow."


def test_a_long_headline_is_cut_at_a_word_and_stands_in_full_below() -> None:
    long = "We propose " + "a very careful method " * 20 + "that works."

    summary = extracted(f"Things are hard. {long}")

    assert len(summary.tldr) <= TLDR_LIMIT
    assert summary.tldr.endswith("…")
    assert summary.method == long


@given(st.text(max_size=600) | st.lists(st.sampled_from(sorted(ABSTRACTS.values())), max_size=2).map(" ".join))
def test_whatever_the_text_the_summary_is_made_of_it_and_fits(text: str) -> None:
    summary = extract(a_paper(abstract=text))

    if summary is not None:
        parts = [value for value in summary.model_dump().values() if value]
        assert all(part.rstrip("…")[1:] in fold(text) for part in parts)
        assert all(len(part) <= FIELD_LIMIT for part in parts)
        assert len(summary.tldr) <= TLDR_LIMIT


@pytest.mark.parametrize("abstract", ABSTRACTS.values(), ids=list(ABSTRACTS))
def test_no_sentence_is_shown_twice(abstract: str) -> None:
    parts = [value for value in extracted(abstract).model_dump().values() if value]

    assert len(parts) == len(set(parts))
