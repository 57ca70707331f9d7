"""Libraries as reference managers export them, and as they should not be."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from shared.library import MAX_ENTRIES, MAX_LIBRARY, LikedPaper, read_library

LIBRARIES = Path(__file__).parents[1] / "data" / "libraries"


def exported(name: str) -> bytes:
    return (LIBRARIES / name).read_bytes()


def titles(document: bytes | str) -> list[str]:
    data = document.encode() if isinstance(document, str) else document
    return [paper.title for paper in read_library(data, "library").papers]


def problems(document: bytes | str) -> str:
    data = document.encode() if isinstance(document, str) else document
    return "\n".join(read_library(data, "library").problems)


def test_bibtex_gives_ids_readable_titles_and_abstracts() -> None:
    library = read_library(exported("better_bibtex.bib"), "better_bibtex.bib")

    assert library.problems == ()
    assert [(paper.id, paper.title) for paper in library.papers] == [
        ("1706.03762", "Attention Is All You Need"),
        (None, r"Kähler Metrics on $\mathbb{P}^n$ and Erdős--Rényi Graphs: A Short Note"),
        ("2302.13971v1", "LLaMA: Open and Efficient Foundation Language Models"),
        ("2107.03374", "Evaluating large language models trained on code"),
        ("hep-th/9802150", "Anti De Sitter Space And Holography"),
    ]
    assert library.papers[0].abstract.endswith("over 2 BLEU & reaching 41.8 on 8 GPUs; that is 50% less.")


def test_a_zotero_export_gives_its_entries_without_attachments_notes_journals_and_collections() -> None:
    library = read_library(exported("zotero.rdf"), "zotero.rdf")

    assert library.problems == ()
    assert [(paper.id, paper.title) for paper in library.papers] == [
        ("1706.03762", "Attention Is All You Need"),
        ("hep-th/9802150", "Anti De Sitter Space And Holography: the CFT side"),
        (None, "Highly accurate protein structure prediction with AlphaFold"),
    ]
    assert library.papers[0].abstract.endswith("convolutional neural networks & attention.")
    assert library.papers[2].abstract == "Proteins are essential to life, and H2O is too."


def test_csl_json_gives_texts_without_html() -> None:
    library = read_library(exported("csl.json"), "csl.json")

    assert library == read_library(b'{"items": ' + exported("csl.json") + b"}", "csl.json")
    assert library.problems == ()
    assert library.papers == (
        LikedPaper("1706.03762", "Attention Is All You Need", "Abstract Attention & nothing else; H2O, with p < 0.05."),
        LikedPaper("hep-th/9802150", "Anti De Sitter Space"),
        LikedPaper(None, "Highly accurate protein structure prediction with AlphaFold"),
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("eprint = {2401.01234v2}, archivePrefix = {arXiv}", "2401.01234v2"),
        ("eprint = {math.GT/0309136}", "math/0309136"),
        ("eprint = {10417197}, eprinttype = {pubmed}", None),
        ("url = {https://arxiv.org/pdf/2401.01234}", "2401.01234"),
        ("doi = {10.48550/ARXIV.2401.01234}", "2401.01234"),
        (r"doi = {10.48550/arXiv.2401.01234}, note = {see arXiv\:1706.03762}", "2401.01234"),
        ("note = {arXiv: 2401.01234 [cs.LG]}", "2401.01234"),
        ("note = {telephone 2401.01234}", None),
        ("url = {https://example.org/2401.01234}", None),
    ],
)
def test_the_arxiv_id_is_found_where_an_entry_tells_it(fields: str, expected: str | None) -> None:
    (paper,) = read_library(f"@misc{{a, title = {{T}}, {fields}}}".encode(), "a.bib").papers

    assert paper.id == expected


def test_an_entry_with_an_id_and_no_title_is_a_paper() -> None:
    assert read_library(b"@misc{a, eprint = {2401.01234}}", "a.bib").papers == (LikedPaper("2401.01234", "2401.01234"),)


BROKEN = """\
@misc{one, title = {First}}
@misc{nokey title = {Broken}}
@misc{one, title = {The same key}}
@article{open,
  title = {Never closed,

@article{two, title = {Two titles}, title = {Another}}
@misc{empty, year = 2001}
@misc{three, title = "Joined " # {and } # unknown}
"""


def test_broken_bibtex_entries_are_told_with_their_line_and_cost_no_other() -> None:
    library = read_library(BROKEN.encode(), "my.bib")

    assert titles(BROKEN)[:3] == ["First", "The same key", "Two titles"]
    assert titles(BROKEN)[3].startswith("Joined")
    assert library.problems == (
        "my.bib:2: an entry cannot be read and is left out: '@misc{nokey title ='",
        "my.bib:4: an entry cannot be read and is left out: '@article{open, title = {Never closed,'",
        "my.bib: entry 'empty' has neither a title nor an arXiv id; it is left out",
    )


def test_an_rdf_file_that_breaks_off_keeps_what_came_before() -> None:
    document = exported("zotero.rdf")[:3_500]

    assert titles(document)[:1] == ["Attention Is All You Need"]
    assert "library:" in problems(document)
    assert "is not well-formed XML" in problems(document)


def test_csl_json_that_breaks_off_keeps_what_came_before() -> None:
    document = exported("csl.json")[:-100]

    assert titles(document) == ["Attention Is All You Need", "Anti De Sitter Space"]
    assert problems(document) == "library:4: is not JSON from here on; the entries before are taken"


def test_csl_entries_that_are_none_are_told() -> None:
    document = json.dumps([1, None, {"title": ["a"]}, {"title": "Good", "abstract": 5}])

    assert titles(document) == ["Good"]
    assert problems(document).count("\n") == 2


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"", "library: is empty"),
        (b" \n ", "library: is empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page, no library"),
        (b"<rss><channel/></rss>", "is no Zotero RDF: expected <rdf:RDF>, got <rss>"),
        (b"just text", "has no BibTeX entry"),
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is not JSON"),
        (b"\x00\xff\xfe" * 99, "has no BibTeX entry"),
        (b"a" * (MAX_LIBRARY + 1), "is larger than 10 MB"),
        (
            b'<!DOCTYPE r [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>'
            b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&c;</rdf:RDF>',
            "has a DOCTYPE",
        ),
    ],
)
def test_what_is_no_library_is_told(document: bytes, problem: str) -> None:
    assert titles(document) == []
    assert problem in problems(document)


@pytest.mark.parametrize(
    "document",
    [
        b"@" * 100_000,
        b"@article{a, title={" + b"{" * 300_000,
        b"@article{a," * 10_000,
        b"@article{a, title={" + b"\\'" * 50_000 + b"}}",
        b"@article{a, title={$" + b"\\(" * 50_000 + b"}}",
        b"@article{a, abstract={" + b"\\[" * 500_000 + b"}}",
        b"@article{a, title={" + b"<p " * 50_000 + b"}}",
        b"<" + b"a>" * 100_000,
        b"<a>" * 100_000,
    ],
)
def test_hostile_bytes_are_read_in_time(document: bytes) -> None:
    assert len(read_library(document, "library").papers) <= 1


@pytest.mark.parametrize("name", ["better_bibtex.bib", "zotero.rdf", "csl.json"])
def test_no_damage_to_an_export_is_too_much(name: str) -> None:
    """Cut off, doubled, with pieces left out, with other bytes in between: read as far as it goes, never an error."""
    document, chance = exported(name), random.Random(name)
    for _ in range(150):
        start, end = sorted(chance.sample(range(len(document)), 2))
        noise = chance.choice([b"", b"{", b"}", b'"', b"@", b"<", b"&", b"\xff", b"\\", document[start:end]])
        library = read_library(document[:start] + noise + document[chance.choice((start, end)) :], name)
        assert all(paper.title for paper in library.papers)
        assert all(problem.startswith(name) for problem in library.problems)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "repeated", [r"\'", r"{\o", "$", r"\(", r"\[", "$$", r"\H{", "<i ", "&#", "a\\", "{}", "~", "arXiv:"]
)
def test_no_repetition_takes_long(repeated: str) -> None:
    text = repeated * (1_000_000 // len(repeated))

    read_library(
        f"@misc{{a, title = {{{text}}}, note = {{{text}}}}}\n@misc{{b, abstract = {{{text}}}}}".encode(), "a.bib"
    )
    read_library(json.dumps([{"title": text, "abstract": text, "note": text}]).encode(), "a.json")


def test_only_the_first_twenty_thousand_entries_are_read() -> None:
    document = "".join(f"@misc{{k{n}, title={{Paper {n}}}}}\n" for n in range(MAX_ENTRIES + 10))
    csl = json.dumps([{"title": f"Paper {n}"} for n in range(MAX_ENTRIES + 10)])

    assert len(titles(document)) == len(titles(csl)) == MAX_ENTRIES
    assert "more than 20,000 entries" in problems(document)
    assert "too many entries" in problems(csl)


def test_many_problems_are_counted() -> None:
    told = read_library(b"@misc{a, year=1}\n" * 100, "my.bib").problems

    assert len(told) == 21
    assert told[-1] == "my.bib: and 80 more problems"


def test_old_encodings_are_read_and_told() -> None:
    document = "@misc{a, title = {Kähler manifolds}}"

    assert titles(document.encode("cp1252")) == ["Kähler manifolds"]
    assert problems(document.encode("cp1252")) == "library:1: is not UTF-8; it is read as Windows-1252"
    assert titles(document.encode("utf-8-sig")) == titles(document.encode("utf-16")) == ["Kähler manifolds"]
