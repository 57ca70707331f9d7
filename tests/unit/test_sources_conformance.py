"""What every source must hold to; a new file in `services/fetcher/sources/` is found and tested."""

from __future__ import annotations

import json
from datetime import date
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.fetcher import sources
from services.fetcher.sources.document import UnusableDocument
from shared.feeds import SourceConfig

SAMPLES = Path(__file__).parents[1] / "data" / "sources"
MODULES = {module.name: import_module(f"{sources.__name__}.{module.name}") for module in iter_modules(sources.__path__)}
PARSERS = sorted(name for name, module in MODULES.items() if hasattr(module, "parse"))
POLLED = sorted(name for name, module in MODULES.items() if hasattr(module, "requests"))
RECORDED = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md")
SINCE, UNTIL = date(2025, 12, 8), date(2025, 12, 10)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def parsed(name: str) -> Any:
    return MODULES[name.partition(".")[0]].parse(sample(name))


@pytest.mark.parametrize("source", PARSERS)
def test_every_source_has_a_sample(source: str) -> None:
    assert [name for name in RECORDED if name.startswith(f"{source}.")]


@pytest.mark.parametrize("name", RECORDED)
def test_papers_have_an_id_a_title_and_a_version(name: str) -> None:
    for paper, _ in parsed(name).items:
        assert paper.id
        assert not set(paper.id) & set(" \t\r\n")
        assert paper.title.strip()
        assert "\n" not in paper.title
        assert paper.version >= 1
        assert all(author.strip() for author in paper.authors)


@pytest.mark.parametrize("name", RECORDED)
def test_no_markup_is_left_in_the_texts(name: str) -> None:
    for paper, _ in parsed(name).items:
        text = " ".join((paper.title, paper.abstract, *paper.authors))
        assert not {"<p>", "<i>", "</", "&amp;", "&#", "_SCPLOW", "_ST_ABS"} & {
            mark for mark in ("<p>", "<i>", "</", "&amp;", "&#", "_SCPLOW", "_ST_ABS") if mark in text
        }


@pytest.mark.parametrize("name", RECORDED)
def test_the_same_document_gives_the_same_papers(name: str) -> None:
    assert parsed(name) == parsed(name)


@pytest.mark.parametrize("name", [name for name in RECORDED if name.partition(".")[0] in POLLED])
def test_a_polled_document_has_a_day_and_a_moment_with_a_zone(name: str) -> None:
    announcement = parsed(name)

    assert type(announcement.date) is date
    assert announcement.built.tzinfo is not None


@pytest.mark.parametrize("source", PARSERS)
@given(document=st.binary(max_size=300))
@example(document=b"")
@example(document=b"null")
@example(document=b"[]")
@example(document=b'{"messages":[],"collection":[]}')
@example(document=b'{"messages":[{"status":"ok"}],"collection":[null,{"doi":7}]}')
@example(document=b"[" * 100_000)
@example(document=b'{"messages":[{"status":"ok"}],"collection":[{"version":' + b"9" * 5_000 + b"}]}")
@example(document=b"<rss/>")
@example(document=b"<feed xmlns='http://www.w3.org/2005/Atom'><entry/></feed>")
@example(document=b"<rss><channel><item><guid>x</guid></item></channel></rss>")
@example(document=b"<!DOCTYPE rss [<!ENTITY a 'b'>]><rss><channel>&a;</channel></rss>")
@example(document=b"<!DOCTYPE html><html><body>down</body></html>")
def test_any_bytes_are_read_or_refused_with_a_reason(source: str, document: bytes) -> None:
    assert refusal(MODULES[source].parse, document) != "NO REASON"


def refusal(parse: Any, document: bytes) -> str:
    try:
        parse(document)
    except UnusableDocument as error:
        return str(error) or "NO REASON"
    return ""


@pytest.mark.parametrize("name", RECORDED)
@given(data=st.data())
def test_a_damaged_document_is_read_or_refused_with_a_reason(name: str, data: st.DataObject) -> None:
    document = sample(name)
    at = data.draw(st.integers(0, len(document)))
    length = data.draw(st.integers(0, 40))
    damage = data.draw(st.binary(max_size=20))

    damaged = document[:at] + damage + document[at + length :]
    assert refusal(MODULES[name.partition(".")[0]].parse, damaged) != "NO REASON"


@pytest.mark.parametrize("source", POLLED)
def test_a_source_asks_for_addresses_that_follow_from_its_options(source: str) -> None:
    module = sources.load(source)
    options = {key: option.default or option.example for key, option in module.OPTIONS.items()}
    asked = module.requests(options, SINCE, UNTIL)

    assert asked
    assert asked == module.requests(options, SINCE, UNTIL)
    assert all(url.startswith("https://") for url in asked)


@pytest.mark.parametrize("source", POLLED)
def test_the_examples_of_the_options_can_be_used(source: str) -> None:
    options = {key: option.example for key, option in sources.load(source).OPTIONS.items()}

    assert sources.problems([SourceConfig("one", source, options, {})]) == []


def test_pages_are_asked_for_until_all_records_came() -> None:
    source = sources.load("biorxiv")
    first = "https://api.biorxiv.org/details/biorxiv/2026-08-01/2026-08-01/0/json"
    second = source.following(first, sample("biorxiv.page1.json"))

    assert second == "https://api.biorxiv.org/details/biorxiv/2026-08-01/2026-08-01/4/json"
    assert source.following(second, sample("biorxiv.page2.json")) is None
    assert source.following(first, sample("biorxiv.empty.json")) is None


def test_an_endless_total_ends_with_the_records() -> None:
    page = json.dumps({"messages": [{"status": "ok", "total": "99999999"}], "collection": []}).encode()

    assert sources.load("biorxiv").following("https://a.example/0/json", page) is None


def test_a_day_at_a_time_is_asked_for() -> None:
    source = sources.load("biorxiv")

    assert source.requests({"url": "https://api.biorxiv.org/", "server": "medrxiv"}, SINCE, UNTIL) == [
        "https://api.biorxiv.org/details/medrxiv/2025-12-08/2025-12-08/0/json",
        "https://api.biorxiv.org/details/medrxiv/2025-12-09/2025-12-09/0/json",
        "https://api.biorxiv.org/details/medrxiv/2025-12-10/2025-12-10/0/json",
    ]


def test_a_preprint_is_read_with_everything_that_is_told_about_it() -> None:
    (_, (paper, kind), third), _ = parsed("biorxiv.page1.json").items, None

    assert kind == "replace"
    assert paper.model_dump(exclude_defaults=True) == {
        "id": "10.1101/2024.12.31.630000",
        "version": 2,
        "title": "Persistent methylation of Kcnq2 in CO2-exposed neurons",
        "authors": ("D. D. Gomez Cantor", "A. R. Rossi", "The Sleep Consortium"),
        "abstract": "Methylation persists (p < 0.05 & n > 3).",
        "categories": ("neuroscience",),
        "doi": "10.1101/2024.12.31.630000",
        "comment": "Published as doi:10.1182/example.2025016511",
        "source": "biorxiv",
        "url": "https://www.biorxiv.org/content/10.1101/2024.12.31.630000v2",
        "posted": date(2026, 8, 1),
    }
    assert third.paper.license == "https://creativecommons.org/licenses/by/4.0/"
    assert third.paper.abstract.splitlines()[::2] == [
        "Background",
        "Methods: We train a graph neural network on 12 datasets.",
        "It is fast.",
        "It is exact.",
    ]


def test_a_suffix_stays_behind_the_name() -> None:
    assert parsed("biorxiv.page2.json").items[0].paper.authors == ("B. Ada", "G. Cantor Jr.")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b'{"messages":[{"status":"Server not recognized"}],"collection":[]}', "the server says 'Server not recog"),
        (b'{"messages":[{"status":"ok","tot', "not JSON, perhaps cut off"),
        (b"<html>", "not JSON"),
        (b"", "the document is empty"),
        (b'{"messages":[{"status":"ok"}],"collection":[{"doi":"2512.00001","version":"1"}]}', "none of the 1 records"),
    ],
)
def test_a_bad_answer_of_the_preprint_servers_says_what_is_wrong(document: bytes, why: str) -> None:
    assert refusal(MODULES["biorxiv"].parse, document).startswith(why)


def titles(name: str) -> list[tuple[str, str]]:
    return [(item.paper.id, item.paper.title) for item in parsed(name).items]


def test_every_form_of_feed_is_read() -> None:
    assert titles("rss.wordpress.xml")[0][1] == "Faster GPU kernels for LLM inference – and why"
    assert titles("rss.jekyll.atom")[0] == ("notes.example.net/2025/12/08/invariants", "Invariants, again")
    assert titles("rss.journal.rdf") == [
        ("www.journal.example/articles/s41586-025-00001-1", "Sparse attention in Drosophila")
    ]
    assert titles("rss.old-091.xml") == [("old.example.com/news/1", "Résumé of the week")]


def test_an_entry_is_read_with_everything_that_is_told_about_it() -> None:
    (paper, kind), _ = parsed("rss.jekyll.atom").items

    assert kind == "new"
    assert paper.model_dump(exclude_defaults=True) == {
        "id": "notes.example.net/2025/12/08/invariants",
        "version": 1,
        "title": "Invariants, again",
        "authors": ("Emmy Noether",),
        "abstract": "A note on invariants of programs.",
        "categories": ("proofs",),
        "source": "rss",
        "url": "https://notes.example.net/2025/12/08/invariants.html",
        "posted": date(2025, 12, 8),
    }
    assert parsed("rss.journal.rdf").items[0].paper.doi == "10.1038/s41586-025-00001-1"


def test_a_script_in_an_entry_is_no_text() -> None:
    feed = b"<rss><channel><item><guid>x</guid><title>T</title><description>%s</description></item></channel></rss>"
    (item,) = MODULES["rss"].parse(feed % b"&lt;p&gt;a&lt;script&gt;evil()&lt;/script&gt;b&lt;p&gt;c").items

    assert item.paper.abstract == "ab\n\nc"


def test_what_no_config_names_is_no_source() -> None:
    with pytest.raises(LookupError, match="there is no source of type 'document'; there is: biorxiv, rss"):
        sources.load("document")


def test_wrong_options_are_told_with_their_place() -> None:
    places = {
        "": "feeds.toml:1: source[a]",
        "type": "feeds.toml:3: source[a].type",
        "url": "feeds.toml:4: source[a].url",
    }

    def told(kind: str, **options: str) -> list[str]:
        return sources.problems(
            [SourceConfig("a", kind, options, places | {key: key for key in options if key != "url"})]
        )

    assert told("rss", url="https://lab.example/feed") == []
    assert told("rss") == ['feeds.toml:1: source[a]: has no url; write url = "https://lab.example.org/feed.xml"']
    assert told("rss", url="lab.example") == [
        'feeds.toml:4: source[a].url: "lab.example" cannot be used; write one like "https://lab.example.org/feed.xml"'
    ]
    assert told("rss", url="http://a.example", sever="x") == [
        "sever: there is no such key; possible here: name, type, url"
    ]
    assert told("blog") == ["feeds.toml:3: source[a].type: there is no source of type 'blog'; there is: biorxiv, rss"]
