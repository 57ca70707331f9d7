"""The rules of the feed configuration, and how each broken one is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, get_args

from shared.feeds import (
    ARXIV,
    IN_TEXT,
    KINDS_BY_MODE,
    FeedConfig,
    FeedsFile,
    MatchMode,
    SummaryConfig,
    Term,
    TextKind,
)
from shared.messages import Kind, Place, Style
from shared.sources_check import chosen_sources, read_sources
from shared.toml_lines import Path
from shared.toml_reader import Reader, shown

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
CATEGORY = re.compile(r"(physics|cond-mat)\.[a-z]+(-[a-z]+)* | [a-z]+(-[a-z]+)*(\.[A-Z]{2})?", re.VERBOSE)
QUOTED = re.compile(r'"[^"]*"')
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # the form of BCP 47
RESERVED_SLUGS = frozenset({"all"})

FEED_KEYS = (*(field.name for field in fields(FeedConfig) if field.name != "any_of"), "any")
SUMMARY_KEYS = ("style", "languages", "top", "text")
TERM_KEYS = ("term", "weight", "in")
KINDS: tuple[Kind, ...] = get_args(Kind)
PLACES: tuple[Place, ...] = get_args(Place)
MOST_LETTERS = 200  # of a term; longer ones are pasted by mistake
LONGEST_SEARCH = 1_000  # characters; arXiv refuses addresses that are much longer
MOST_PAPERS = 1_000
MOST_WEIGHT = 1_000.0


def read_file(document: Mapping[str, Any], text: str, name: str) -> tuple[FeedsFile, list[str]]:
    """The feeds, and every problem in the order of the lines. Feeds are only good without problems."""
    reader = FeedsReader(name, text)
    reader.known_keys((), document, ("feed", "source"))
    sources = read_sources(reader, document.get("source"))
    reader.source_names = (ARXIV, *(source.name for source in sources))
    feeds = reader.feeds(document.get("feed"))
    return FeedsFile(feeds, sources), [problem for _, problem in sorted(reader.problems, key=lambda found: found[0])]


class FeedsReader(Reader):
    """Reads feeds."""

    source_names: tuple[str, ...] = (ARXIV,)

    def feeds(self, value: Any) -> tuple[FeedConfig, ...]:
        """All feeds; there must be one, and no two of a name."""
        if not value or not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(("feed",), "there is no feed; write at least one [[feed]] with a slug and keywords")
            return ()
        for number, item in enumerate(value):
            slug = item.get("slug") if isinstance(item, dict) else None
            if isinstance(slug, str) and SLUG.fullmatch(slug):
                self.names["feed", number] = slug
        feeds = tuple(self.feed(("feed", number), item) for number, item in enumerate(value))
        self._no_slug_twice()
        return feeds

    def _no_slug_twice(self) -> None:
        first: dict[str, Path] = {}
        for path, slug in self.names.items():
            if path[0] != "feed":
                continue
            earlier = first.setdefault(slug, path)
            if earlier != path:
                line = self.line((*earlier, "slug"))
                self.wrong((*path, "slug"), f"line {line} has the same slug; write another one")

    def feed(self, path: Path, value: Any) -> FeedConfig:
        """One feed."""
        table = self.table(path, value, FEED_KEYS, "[[feed]]")
        slug = self._slug((*path, "slug"), table)
        match: MatchMode = self.choice((*path, "match"), table.get("match"), "words", get_args(MatchMode))
        config = FeedConfig(
            slug=slug,
            title=self.text((*path, "title"), table.get("title"), slug),
            description=self.text((*path, "description"), table.get("description")),
            sources=chosen_sources(self, (*path, "sources"), table.get("sources"), self.source_names),
            categories=self.items((*path, "categories"), table.get("categories"), self._category),
            announce=self._announce((*path, "announce"), table.get("announce"), match),
            keywords=self.items((*path, "keywords"), table.get("keywords"), self._term_in_text),
            exclude=self.items((*path, "exclude"), table.get("exclude"), self._excluded),
            authors=self.items((*path, "authors"), table.get("authors"), self._author),
            search=self._search((*path, "search"), table.get("search"), match),
            min_score=self.number((*path, "min_score"), table.get("min_score"), 1.0, 0, 1_000_000),
            max_papers=self.whole((*path, "max_papers"), table.get("max_papers"), 30, 1, MOST_PAPERS),
            match=match,
            summary=self._summary((*path, "summary"), table.get("summary", {})),
        )
        self._something_to_find(path, table)
        self._nothing_twice(path, table, config)
        self._plain_in_bot_mode(path, table, config)
        return config

    def _slug(self, path: Path, table: Mapping[str, Any]) -> str:
        value = table.get("slug")
        if value is None:
            self.wrong(path[:-1], 'has no slug; write slug = "a-short-name"')
        elif not isinstance(value, str) or not SLUG.fullmatch(value):
            close = "-".join(re.findall(r"[a-z0-9]+", str(value).lower()))[:64] or "a-short-name"
            self.wrong(path, f'{shown(value)} is no slug (lower-case letters, digits, hyphens); write "{close}"')
        elif value in RESERVED_SLUGS:
            self.wrong(path, f"{shown(value)} is the page of all feeds; write another slug")
        else:
            return value
        return f"feed-{int(path[1]) + 1}"

    def _category(self, path: Path, value: Any) -> str | None:
        if isinstance(value, str) and CATEGORY.fullmatch(value):
            return value
        self.wrong(path, f"{shown(value)} is no arXiv category; write one like cs.LG, math.AG or hep-th")
        return None

    def _announce(self, path: Path, value: Any, match: MatchMode) -> tuple[Kind, ...]:
        kinds: tuple[Kind, ...] = self.items(path, value, self._kind)
        if value == []:
            self.wrong(path, f"is empty, so no paper is ever taken; write some of {', '.join(KINDS)}")
        if match == "arxiv_rss_bot" and value is not None and kinds != ("new",):
            self.wrong(path, 'with match = "arxiv_rss_bot" only new papers count; leave it out')
        return kinds or KINDS_BY_MODE[match]

    def _kind(self, path: Path, value: Any) -> Kind | None:
        return self.choice(path, value, None, KINDS)

    def _search(self, path: Path, value: Any, match: MatchMode) -> str:
        search = self.text(path, value)
        if len(search) > LONGEST_SEARCH:
            self.wrong(path, f"{shown(value)} is longer than {LONGEST_SEARCH} characters; make two feeds of it")
        bare = QUOTED.sub("", search)
        if '"' in bare or bare.count("(") != bare.count(")"):
            self.wrong(path, f"{shown(value)} has a quote or bracket that is not closed; close it")
        if search and match == "arxiv_rss_bot":
            self.wrong(path, 'is not made with match = "arxiv_rss_bot"; leave it out')
        return search

    def _summary(self, path: Path, value: Any) -> SummaryConfig:
        table = self.table(path, value, SUMMARY_KEYS, "[feed.summary]")
        default = SummaryConfig()
        languages = self.items((*path, "languages"), table.get("languages"), self._language)
        if table.get("languages") == []:
            self.wrong((*path, "languages"), 'is empty; write ["en"], or top = 0 for no summary')
        return SummaryConfig(
            style=self.choice((*path, "style"), table.get("style"), default.style, get_args(Style)),
            languages=tuple(dict.fromkeys(languages)) or default.languages,
            top=self.whole((*path, "top"), table.get("top"), default.top, 0, MOST_PAPERS),
            text=self.choice((*path, "text"), table.get("text"), default.text, get_args(TextKind)),
        )

    def _language(self, path: Path, value: Any) -> str | None:
        if isinstance(value, str) and LANGUAGE.fullmatch(value):
            return value
        self.wrong(path, f"{shown(value)} is no language; write a BCP 47 code like en, de or zh-Hans")
        return None

    # ---- terms

    def _term_in_text(self, path: Path, value: Any) -> Term | None:
        return self._term(path, value, TERM_KEYS)

    def _excluded(self, path: Path, value: Any) -> Term | None:
        return self._term(path, value, ("term", "in"))

    def _author(self, path: Path, value: Any) -> Term | None:
        term = self._term(path, value, ("term", "weight"))
        return term and replace(term, places=("authors",))

    def _term(self, path: Path, value: Any, keys: tuple[str, ...]) -> Term | None:
        if not isinstance(value, dict):
            text = self._term_text(path, value)
            return Term(text) if text else None
        table = self.table(path, value, keys, "")
        if "term" not in table:
            self.wrong(path, 'has no term; write { term = "a term" }')
            return None
        text = self._term_text((*path, "term"), table["term"])
        weight = self._weight((*path, "weight"), table.get("weight") if "weight" in keys else None)
        places = self._places((*path, "in"), table.get("in") if "in" in keys else None)
        return Term(text, weight, places) if text else None

    def _term_text(self, at: Path, value: Any) -> str:
        text = self.text(at, value)
        if text and not any(letter.isalnum() for letter in text):
            self.wrong(at, f"{shown(text)} has no letter or digit to look for; write a word")
        if len(text) > MOST_LETTERS:
            self.wrong(at, f"{shown(text)} is longer than {MOST_LETTERS} characters; write a word or a short phrase")
        return text

    def _weight(self, path: Path, value: Any) -> float:
        weight = self.number(path, value, 1.0, 0, MOST_WEIGHT)
        if value is not None and weight <= 0:
            self.wrong(path, "adds nothing; write a weight above 0, or use `exclude` to keep papers out")
        return weight

    def _places(self, path: Path, value: Any) -> tuple[Place, ...]:
        if value is None:
            return IN_TEXT
        if isinstance(value, str):
            value = [value]
        elif value == []:
            self.wrong(path, "is empty, so the term is never found; leave it out for title and abstract")
        read = self.items(path, value, self._place_name)
        return tuple(place for place in PLACES if place in read) or IN_TEXT

    def _place_name(self, path: Path, value: Any) -> Place | None:
        return self.choice(path, value, None, PLACES)

    # ---- what must fit together

    def _something_to_find(self, path: Path, table: Mapping[str, Any]) -> None:
        if not any(table.get(key) for key in ("keywords", "authors", "search")):
            self.wrong(path, 'has neither keywords nor authors, so it stays empty; write keywords = ["..."]')

    def _nothing_twice(self, path: Path, table: Mapping[str, Any], config: FeedConfig) -> None:
        """A term that counts twice by mistake makes scores that nobody understands."""
        if config.match == "arxiv_rss_bot":
            return
        for key, terms in (("keywords", config.keywords), ("authors", config.authors)):
            if len(terms) != len(_items(table, key)):
                continue  # some are bad, and told already
            seen: Counter[str] = Counter()
            for number, term in enumerate(terms):
                if seen[term.text]:
                    self.wrong(
                        (*path, key, number), f"{shown(term.text)} is listed twice; write it once, with a weight"
                    )
                seen[term.text] += 1

    def _plain_in_bot_mode(self, path: Path, table: Mapping[str, Any], config: FeedConfig) -> None:
        if config.match != "arxiv_rss_bot":
            return
        if config.authors:
            self.wrong((*path, "authors"), 'are not looked at with match = "arxiv_rss_bot"; leave them out')
        for key in ("keywords", "exclude"):
            for number, item in enumerate(_items(table, key)):
                if isinstance(item, dict) and item.keys() & {"weight", "in"}:
                    what = f'has neither weight nor place with match = "arxiv_rss_bot"; write {shown(item.get("term"))}'
                    self.wrong((*path, key, number), what)


def _items(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []
