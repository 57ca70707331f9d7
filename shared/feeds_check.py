"""The rules of the feed configuration, and how each broken one is told."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import fields
from typing import Any, TypeVar, cast, get_args

from shared.feeds import ARXIV, KINDS_BY_MODE, FeedConfig, FeedsFile, MatchMode, SummaryConfig, Term, TextKind
from shared.feeds_conflicts import Conflicts
from shared.feeds_like import liked
from shared.feeds_seen import Slugs
from shared.feeds_terms import MOST_WEIGHT, Terms, Written
from shared.messages import Kind, Style
from shared.sources_check import chosen_sources, read_sources
from shared.toml_lines import Path
from shared.toml_reader import Reader, shown

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
CATEGORY = re.compile(r"(physics|cond-mat)\.[a-z]+(-[a-z]+)* | [a-z]+(-[a-z]+)*(\.[A-Z]{2})?", re.VERBOSE)
QUOTED = re.compile(r'"[^"]*"')
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # the form of BCP 47
RESERVED_SLUGS = frozenset({"all"})

FEED_KEYS = tuple("any" if field.name == "any_of" else field.name for field in fields(FeedConfig))
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(FeedConfig)}
SUMMARY_KEYS = ("style", "languages", "top", "text")
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST_SEARCH = 1_000  # characters; arXiv refuses addresses that are much longer
MOST_PAPERS = 1_000


IN_SUMMARY = dict.fromkeys(SUMMARY_KEYS, "belongs to the summary; write it below [feed.summary]")
IN_FEED = dict.fromkeys(FEED_KEYS, "belongs to the feed; write it above [feed.summary]")
ABOVE_FEEDS = dict.fromkeys(FEED_KEYS, "belongs to a feed; write [[feed]] above it")

T = TypeVar("T", bound=Hashable)


def read_file(document: Mapping[str, Any], text: str, name: str) -> tuple[FeedsFile, list[str]]:
    """The feeds, and every problem in the order of the lines. Feeds are only good without problems."""
    reader = FeedsReader(name, text)
    reader.known_keys((), document, ("feed", "source"), ABOVE_FEEDS)
    sources = read_sources(reader, document.get("source"))
    reader.source_names = (ARXIV, *(source.name for source in sources))
    feeds = reader.feeds(document.get("feed"))
    return FeedsFile(feeds, sources), reader.problems()


class FeedsReader(Reader):
    """Reads feeds."""

    source_names: tuple[str, ...] = (ARXIV,)

    def __init__(self, name: str, document: str) -> None:
        super().__init__(name, document)
        self._terms = Terms(self)
        self._conflicts = Conflicts(self)
        self._slugs = Slugs(())
        self._shared: dict[Any, Any] = {}

    def feeds(self, value: Any) -> tuple[FeedConfig, ...]:
        """All feeds; there must be one, and no two of a name."""
        if not value or not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.wrong(("feed",), "there is no feed; write at least one [[feed]] with a slug and keywords")
            return ()
        slugs = [item.get("slug") for item in value]
        good = {number: slug for number, slug in enumerate(slugs) if isinstance(slug, str) and SLUG.fullmatch(slug)}
        self.names |= {("feed", number): slug for number, slug in good.items()}
        self._slugs = Slugs([good.get(number, f"feed-{number + 1}") for number in range(len(value))])
        self._no_slug_twice(good)
        return tuple(map(self._read_once, enumerate(value)))

    def _read_once(self, numbered: tuple[int, dict[str, Any]]) -> FeedConfig:
        """One feed; its part of the document is let go, which halves the memory that reading needs."""
        number, table = numbered
        feed = self.feed(("feed", number), table)
        table.clear()
        return feed

    def _no_slug_twice(self, slugs: Mapping[int, str]) -> None:
        first: dict[str, int] = {}
        for number, slug in slugs.items():
            earlier = first.setdefault(slug, number)
            if earlier != number:
                what = "has the same slug; write another one"
                self.wrong(("feed", number, "slug"), what, earlier=("feed", earlier, "slug"))

    def feed(self, path: Path, table: Mapping[str, Any]) -> FeedConfig:
        """One feed."""
        self.known_keys(path, table, FEED_KEYS, IN_SUMMARY)
        slug = self._slug((*path, "slug"), table)
        match: MatchMode = self.choice((*path, "match"), table.get("match"), "words", get_args(MatchMode))
        groups = self._terms.groups((*path, "any"), table.get("any"))
        terms = self._written(path, table, groups)
        config = FeedConfig(
            slug=slug,
            title=self.text((*path, "title"), table.get("title"), slug),
            description=self.text((*path, "description"), table.get("description")),
            sources=self._one(chosen_sources(self, (*path, "sources"), table.get("sources"), self.source_names)),
            categories=self._one(self.items((*path, "categories"), table.get("categories"), self._category)),
            announce=self._one(self._announce((*path, "announce"), table.get("announce"), match)),
            keywords=_terms(terms["keywords"]),
            exclude=_terms(terms["exclude"]),
            authors=_terms(terms["authors"]),
            require=_terms(terms["require"]),
            any_of=tuple(map(_terms, groups)),
            like=liked(self, (*path, "like"), table.get("like")),
            search=self._search((*path, "search"), table.get("search"), match),
            match=match,
            summary=self._one(self._summary((*path, "summary"), table.get("summary", {}))),
            seen=self._slugs.seen(self, (*path, "seen"), table.get("seen")),
            **self._numbers(path, table),
        )
        self._conflicts.tell(path, table, config, terms)
        return config

    def _written(self, path: Path, table: Mapping[str, Any], groups: list[Written]) -> dict[str, Written]:
        """The terms under each key, with their places."""
        read = self._terms
        return {
            "keywords": read.in_text((*path, "keywords"), table.get("keywords")),
            "exclude": read.excluded((*path, "exclude"), table.get("exclude")),
            "authors": read.authors((*path, "authors"), table.get("authors")),
            "require": read.in_text((*path, "require"), table.get("require")),
            "any": [written for group in groups for written in group],
        }

    def _numbers(self, path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
        """Every limit and weight of the feed, by its key."""

        def number(key: str, least: float, most: float) -> float:
            return self._one(self.number((*path, key), table.get(key), DEFAULTS[key], least, most))

        def cap(key: str) -> int | None:
            return self.whole((*path, key), table[key], 3, 1, MOST_PAPERS) if key in table else None

        return {
            "min_score": number("min_score", 0, 1_000_000),
            "max_papers": self.whole((*path, "max_papers"), table.get("max_papers"), 30, 1, MOST_PAPERS),
            "max_per_category": cap("max_per_category"),
            "max_per_author": cap("max_per_author"),
            "like_weight": self._like_weight((*path, "like_weight"), table.get("like_weight")),
            "min_likeness": number("min_likeness", 0, 1),
        }

    def _like_weight(self, path: Path, value: Any) -> float:
        if value == 0 and not isinstance(value, bool):
            self.wrong(path, "adds nothing; write a weight above 0, or leave out like")
            value = None
        return self._one(self.number(path, value, DEFAULTS["like_weight"], 0, MOST_WEIGHT))

    def _one(self, value: T) -> T:
        """The same object for all equal values: thousands of feeds have the same categories."""
        return cast("T", self._shared.setdefault(value, value))

    def _slug(self, path: Path, table: Mapping[str, Any]) -> str:
        value = table.get("slug")
        if value is None:
            self.wrong(path[:-1], 'has no slug; write slug = "a-short-name"')
        elif not isinstance(value, str) or not SLUG.fullmatch(value):
            close = "-".join(re.findall(r"[a-z0-9]+", shown(value).lower()))[:64] or "a-short-name"
            what = "is no slug (up to 64 lower-case letters, digits, hyphens)"
            self.wrong(path, f'{shown(value)} {what}; write "{close}"')
        elif value in RESERVED_SLUGS:
            self.wrong(path, f"{shown(value)} is the page of all feeds; write another slug")
        else:
            return value
        return f"feed-{int(path[1]) + 1}"

    def _category(self, path: Path, value: Any) -> str | None:
        if isinstance(value, str) and CATEGORY.fullmatch(value):
            return self._one(value)
        archive, _, subject = value.partition(".") if isinstance(value, str) else ("", "", "")
        close = f"{archive.lower()}.{subject.upper()}"
        how = f'write "{close}"' if CATEGORY.fullmatch(close) else "write one like cs.LG, math.AG or hep-th"
        self.wrong(path, f"{shown(value)} is no arXiv category; {how}")
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
        table = self.table(path, value, SUMMARY_KEYS, "[feed.summary]", IN_FEED)
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


def _terms(written: Written) -> tuple[Term, ...]:
    return tuple(term for _, term in written)
