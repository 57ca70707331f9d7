"""What counts as finding a term: the rules that a reader could dispute, one by one."""

from __future__ import annotations

import pytest

from services.scorer.matching import Matcher
from services.scorer.text import plain, words_of
from tests.builders import a_paper


def found(term: str, text: str) -> bool:
    matcher = Matcher()
    meaning = matcher.add_term(term)
    matcher.compile()
    return meaning in matcher.find([a_paper(title="Untitled", abstract=text)]).of(0).at("abstract")


def has_author(name: str, *authors: str) -> bool:
    matcher = Matcher()
    meaning = matcher.add_name(name)
    matcher.compile()
    return meaning in matcher.find([a_paper(authors=authors)]).of(0).at("authors")


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
        ("ÉCO", "ECO"),
        ("ИИ", "ИИ"),
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
        ("扩散", "基于扩散模型的方法"),
        ("扩散模型", "扩散\n模型"),
        ("LLM量化", "使用LLM量化方法"),
        ("LLM", "使用LLM的方法"),
        ("量化", "量化，剪枝"),
        ("อัลกอริทึม", "ใช้อัลกอริทึมนี้"),
        ("сеть", "нейронная СЕТЬ"),
        ('K\\"ahler', "Kähler manifolds"),
        ("Kahler", 'K{\\"a}hler manifolds'),
        ("Erdős", "Erd\\H{o}s graphs"),
        ("Strasse", "die Straße"),
        ("mixture of experts", "\\emph{mixture of} experts"),
        ("mixture of experts", "a mix\u00adture of experts"),
        ("LLM", "{LLM}s"),
        ("alpha-divergence", "the $\\alpha$-divergence"),
        ("α-divergence", "the alpha divergence"),
        ("β-VAE", "$\\beta$-VAEs"),
        ("RL", "a two-stage SF$\\to$RL training pipeline"),
        ("linear", "the limitations of \\say{linear} models"),
        ("pre-training", "pretraining"),
        ("pretraining", "pre-training"),
        ("multimodal", "multi-modal"),
        ("fine-tuned model", "finetuned models"),
        ("electroencephalographically-guided", "electroencephalographically guided"),
        ("Donaudampfschifffahrtsgesellschaft", "die Donaudampfschifffahrtsgesellschaft."),
        ("ﬁne tuning", "fine tuning"),
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
        ("ИИ", "ии"),
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
        ("LLM量化", "FLLM量化"),
        ("量化", "量 化学"[:1]),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifffahrtsgesellschaften"),
        ("x" * 32 + "a", "x" * 32 + "b"),
        ("self", "yourself"),
    ],
)
def test_a_term_is_not_found_in_something_else(term: str, text: str) -> None:
    assert not found(term, text)


def test_a_phrase_does_not_span_title_and_abstract_nor_two_papers() -> None:
    matcher = Matcher()
    meaning = matcher.add_term("language model")
    matcher.compile()
    papers = [a_paper(title="A language", abstract="model of language"), a_paper(title="model", abstract="")]

    finds = matcher.find(papers)

    assert meaning not in finds.meanings


def test_every_place_of_a_term_is_told() -> None:
    matcher = Matcher()
    one, other, nobody = matcher.add_term("network"), matcher.add_term("networks"), matcher.add_term("hopper")
    matcher.compile()

    found = matcher.find([a_paper(title="Networks", abstract="A network.")]).of(0)

    assert found.at("title") == found.at("abstract") == {one, other}
    assert nobody not in found.anywhere


def test_the_same_term_of_two_feeds_is_looked_for_once() -> None:
    matcher = Matcher()

    assert matcher.add_term("KV cache") == matcher.add_term("kv cache")


def test_a_capital_term_and_its_small_twin_are_told_apart() -> None:
    matcher = Matcher()
    matcher.add_term("MOE")
    small = matcher.add_term("moe")
    matcher.compile()

    assert matcher.find([a_paper(title="MoE", abstract="")]).of(0).anywhere == {small}


def test_comments_are_read_when_somebody_looks_there() -> None:
    matcher = Matcher()
    meaning = matcher.add_term("ICML", in_comments=True)
    matcher.compile()

    assert matcher.find([a_paper(comment="Accepted at ICML 2026")]).of(0).at("comment") == {meaning}


@pytest.mark.parametrize(("term", "there"), [("cs.LG", True), ("CS", True), ("cs.L", False), ("math", False)])
def test_a_category_is_found_by_its_name_or_its_archive(term: str, there: bool) -> None:
    matcher = Matcher()
    meaning = matcher.add_category(term)
    matcher.compile()

    assert (meaning in matcher.find([a_paper(categories=("cs.DC", "cs.LG"))]).of(0).at("categories")) is there


def test_a_mark_in_a_paper_moves_nothing() -> None:
    matcher = Matcher()
    meaning = matcher.add_term("memory", in_comments=True)
    matcher.compile()
    papers = [a_paper(title="a\x02b\x02c", authors=("x\x02y",)), a_paper(title="memory", abstract="", comment="")]

    finds = matcher.find(papers)

    assert meaning not in finds.of(0).anywhere - finds.of(0).at("abstract")
    assert finds.of(1).at("title") == {meaning}


@pytest.mark.parametrize("name", ["Tri Dao", "tri dao", "Héctor Łucz", "Hector Lucz", "Di-Wei Xu", "J. R. Smith"])
def test_an_author_is_found_by_the_full_name(name: str) -> None:
    assert has_author(name, "Someone Else", "Tri Dao", "Hector Łucz", "Di Wei Xu", "J R Smith")


@pytest.mark.parametrize("name", ["T. Dao", "Dao", "Tri", "Tri Daos", "Dao Someone", "Else Tri"])
def test_an_author_is_not_found_by_less_or_something_else(name: str) -> None:
    assert not has_author(name, "Someone Else", "Tri Dao", "Tri Dao Nguyen")


def test_an_author_is_not_looked_for_in_the_text() -> None:
    matcher = Matcher()
    matcher.add_name("Tri Dao")
    matcher.compile()

    assert not matcher.find([a_paper(title="x | Tri Dao | y", authors=())]).of(0).anywhere


def test_part_of_a_name_is_found_as_a_word_and_is_no_plural() -> None:
    matcher = Matcher()
    meaning = matcher.add_name_part("Williams")
    matcher.compile()
    papers = [a_paper(authors=("Ronald J. Williams",)), a_paper(authors=("Will Williamson", "Ann William"))]

    finds = matcher.find(papers)

    assert finds.of(0).at("authors") == {meaning}
    assert not finds.of(1).anywhere


def test_a_matcher_without_terms_finds_nothing() -> None:
    matcher = Matcher()
    matcher.compile()

    assert not matcher.find([a_paper()]).of(0).anywhere


def test_substrings_are_found_in_the_title_and_the_first_line_only() -> None:
    matcher = Matcher()
    meanings = {term: matcher.add_substring(term) for term in ("RL", "Fast", "late")}
    matcher.compile()

    found = matcher.find([a_paper(title="The World", abstract="Breakfast\nis late")]).of(0)

    assert found.at("title") == {meanings["RL"]}
    assert found.at("abstract") >= {meanings["Fast"]}
    assert meanings["late"] not in found.anywhere


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mixture-of-\nexperts (MoE): a survey.", "Mixture of experts | MoE | | a survey |"),
        ("", ""),
        ("x\x01\x02| y", None),
        ("...!?", "| | | | |"),
        ("\ud800 lone surrogate", "lone surrogate"),
        ("LLM+RL #1 *very* C++", "LLM RL 1 very C++"),
    ],
)
def test_any_text_becomes_words(text: str, words: str | None) -> None:
    assert words is None or words_of(plain(text)) == words.split()


def test_the_form_in_capitals_and_the_form_in_small_letters_have_as_many_words() -> None:
    every = "".join(map(chr, range(0x110000)))

    assert len(words_of(plain(every))) == len(words_of(plain(every).lower()))
