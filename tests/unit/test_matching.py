"""What counts as finding a term: the rules that a reader could dispute, one by one."""

from __future__ import annotations

import pytest

from services.scorer.matching import ABSTRACT, AUTHORS, TITLE, SubstringMatcher, WordMatcher
from services.scorer.text import spaced
from tests.builders import a_paper


def found(term: str, text: str) -> bool:
    matcher = WordMatcher[str]()
    matcher.add_term(term, "me")
    matcher.compile()
    return bool(matcher.find(a_paper(title="Untitled", abstract=text)))


def has_author(name: str, *authors: str) -> bool:
    matcher = WordMatcher[str]()
    matcher.add_name(name, "me")
    matcher.compile()
    return bool(matcher.find(a_paper(authors=authors)))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("mixture of experts", "A Mixture-of-Experts layer"),
        ("mixture-of-experts", "a mixture of experts layer"),
        ("mixture of experts", "a mixture of\nexperts layer"),
        ("mixture of experts", "a mixture\u00a0of\u00a0experts layer"),
        ("mixture of experts", "mixtures of experts"),
        ("train/test split", "the train test split"),
        ("network", "Networks"),
        ("networks", "a network"),
        ("study", "two studies"),
        ("studies", "one study"),
        ("box", "boxes"),
        ("batches", "one batch"),
        ("KV cache", "KV caches"),
        ("movie", "movies"),
        ("bias", "biases"),
        ("attention", "self-attention"),
        ("attention", "(attention)"),
        ("attention", "attention."),
        ("attention", "attention,which"),
        ("attention", "pay “attention”"),
        ("attention", "\\emph{attention}"),
        ("model", "the model's size"),
        ("k-NN", "the $k$-NN graph"),
        ("LLM", "an LLM"),
        ("LLM", "LLMs"),
        ("LLM", "(LLMs),"),
        ("LLM", "LLM-based"),
        ("LLMs", "an LLM"),
        ("RL", "RL/IL"),
        ("llm", "LLMs"),
        ("MoE", "moe"),
        ("LoRA", "LoRAs"),
        ("BLEURT", "bleurt"),
        ("small LM", "small LMs"),
        ("C++", "in C++."),
        ("C++", "C/C++ code"),
        ("C#", "in C#,"),
        ("FP8", "FP8-training"),
        ("FP8", "fp8"),
        ("GPT-4", "GPT-4,"),
        ("GPT-4", "ends with gpt 4."),
        ("GPT-4.5", "GPT-4.5."),
        ("A*", "the A* algorithm"),
        ("Kähler", "Kahler manifolds"),
        ("Renyi", "Rényi–entropy"),
        ("Poincaré", "Poincare\u0301 balls"),
        ("扩散", "扩散 模型"),
    ],
)
def test_a_term_is_found_however_it_is_written(term: str, text: str) -> None:
    assert found(term, text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("attention", "FlashAttention"),
        ("quantization", "dequantization"),
        ("RL", "the world"),
        ("RL", "Rl"),
        ("RL", "RLHF"),
        ("LLM", "llm"),
        ("LLM", "an Llm"),
        ("MOE", "MoE"),
        ("AI", "ai"),
        ("IT", "it is"),
        ("A", "a paper"),
        ("C", "C++"),
        ("C", "C#"),
        ("A", "A* search"),
        ("GPT-4", "GPT-4.5"),
        ("GPT-4", "GPT-4o"),
        ("GPT-4", "GPT-41"),
        ("5", "GPT-4.5"),
        ("fast", "faster"),
        ("bus", "bu"),
        ("language model", "languages. Models"),
        ("graph learning", "on the graph; learning is"),
        ("net", "nest"),
    ],
)
def test_a_term_is_not_found_in_something_else(term: str, text: str) -> None:
    assert not found(term, text)


def test_a_phrase_does_not_span_title_and_abstract() -> None:
    matcher = WordMatcher[str]()
    matcher.add_term("language model", "me")
    matcher.compile()

    assert matcher.find(a_paper(title="A language", abstract="model of it")) == []


def test_every_place_of_a_term_is_told_to_everybody_who_asked() -> None:
    matcher = WordMatcher[str]()
    matcher.add_term("network", "one")
    matcher.add_term("networks", "other")
    matcher.add_term("hopper", "nobody")
    matcher.compile()

    assert sorted(matcher.find(a_paper(title="Networks", abstract="A network."))) == [
        (["one"], TITLE | ABSTRACT),
        (["other"], TITLE | ABSTRACT),
    ]


def test_the_same_term_of_two_feeds_is_looked_for_once() -> None:
    matcher = WordMatcher[str]()
    matcher.add_term("KV cache", "one")
    matcher.add_term("kv-cache", "other")
    matcher.compile()

    assert matcher.find(a_paper(title="KV caches")) == [(["one", "other"], TITLE)]


def test_a_capital_term_and_its_small_twin_are_told_apart() -> None:
    matcher = WordMatcher[str]()
    matcher.add_term("MOE", "capitals")
    matcher.add_term("moe", "any")
    matcher.compile()

    assert matcher.find(a_paper(title="MoE", abstract="")) == [(["any"], TITLE)]


@pytest.mark.parametrize("name", ["Tri Dao", "tri dao", "Héctor Łucz", "Hector Lucz", "Di-Wei Xu", "J. R. Smith"])
def test_an_author_is_found_by_the_full_name(name: str) -> None:
    assert has_author(name, "Someone Else", "Tri Dao", "Hector Łucz", "Di Wei Xu", "J R Smith")


@pytest.mark.parametrize("name", ["T. Dao", "Dao", "Tri", "Tri Daos", "Dao Someone", "Else Tri"])
def test_an_author_is_not_found_by_less_or_something_else(name: str) -> None:
    assert not has_author(name, "Someone Else", "Tri Dao", "Tri Dao Nguyen")


def test_an_author_is_not_looked_for_in_the_text() -> None:
    matcher = WordMatcher[str]()
    matcher.add_name("Tri Dao", "me")
    matcher.compile()

    places = [places for _, places in matcher.find(a_paper(title="x | Tri Dao | y", authors=()))]

    assert AUTHORS not in places


def test_part_of_a_name_is_found_as_a_word_and_is_no_plural() -> None:
    matcher = WordMatcher[str]()
    matcher.add_name_part("Williams", "me")
    matcher.compile()

    assert matcher.find(a_paper(authors=("Ronald J. Williams",))) == [(["me"], AUTHORS)]
    assert matcher.find(a_paper(authors=("Will Williamson", "Ann William"))) == []


def test_a_matcher_without_terms_finds_nothing() -> None:
    matcher = WordMatcher[str]()
    matcher.compile()

    assert matcher.find(a_paper()) == []


def test_substrings_are_found_in_the_title_and_the_first_line_only() -> None:
    matcher = SubstringMatcher[str]()
    for term in ("RL", "Fast", "late"):
        matcher.add_term(term, term)
    matcher.compile()

    assert sorted(matcher.find(a_paper(title="The World", abstract="Breakfast\nis late"))) == [
        (["Fast"], ABSTRACT),
        (["RL"], TITLE),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mixture-of-\nexperts (MoE): a survey.", " Mixture of experts | MoE | a survey "),
        ("", "  "),
        ("x\x01\x02| y", None),
        ("...!?", "  "),
        ("\ud800 lone surrogate", " lone surrogate "),
        ("LLM+RL #1 *very* C++", " LLM RL 1 very C++ "),
    ],
)
def test_any_text_becomes_words_between_single_spaces(text: str, words: str | None) -> None:
    assert words is None or spaced(text) == words


def test_the_form_in_capitals_and_the_form_in_small_letters_have_the_same_length() -> None:
    every = "".join(map(chr, range(0x110000)))

    assert len(spaced(every)) == len(spaced(every).lower())
