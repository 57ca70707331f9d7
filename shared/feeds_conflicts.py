"""The rules of what fits together in a feed: terms that count twice, conditions that nothing fulfils, keys at odds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.feeds import FeedConfig
from shared.feeds_terms import Written, sameness
from shared.messages import Place
from shared.toml_lines import Path
from shared.toml_reader import Reader, shown

FINDING = ("keywords", "authors", "require", "any", "like", "search")
WORDS_ONLY = ("require", "any", "like", "like_weight", "min_likeness", "max_per_category", "max_per_author", "seen")
"""Keys that the compatibility mode does not know: the rule that it repeats had none of them."""


class Conflicts:
    """Tells what in a feed does not fit together. It knows the terms of all feeds, which are much the same."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._same: dict[str, str] = {}

    def tell(self, path: Path, table: Mapping[str, Any], config: FeedConfig, terms: Mapping[str, Written]) -> None:
        """Note every conflict of the feed there."""
        if not any(table.get(key) for key in FINDING):
            self._reader.wrong(path, 'has nothing to look for, so it stays empty; write keywords = ["..."]')
        if config.match == "arxiv_rss_bot":
            self._bot_mode(path, table)
            return
        self._like(path, table)
        self._twice(terms, ("require", "any", "keywords"))
        self._twice(terms, ("authors",))
        self._excluded(terms)

    def _like(self, path: Path, table: Mapping[str, Any]) -> None:
        for key in ("like_weight", "min_likeness"):
            if key in table and "like" not in table:
                self._reader.wrong(
                    (*path, key), 'does nothing without like; write like = ["2401.01234"] or leave it out'
                )

    def _twice(self, terms: Mapping[str, Written], keys: Iterable[str]) -> None:
        """A term that counts twice by mistake makes scores that nobody understands."""
        first: dict[tuple[str, tuple[Place, ...]], tuple[Path, str]] = {}
        for key in keys:
            for path, term in terms[key]:
                earlier, text = first.setdefault((self._sameness(term.text), term.places), (path, term.text))
                if earlier != path:
                    self._counts_twice(path, term.text, earlier, text)

    def _counts_twice(self, path: Path, text: str, earlier: Path, other: str) -> None:
        where = f"{shown(other)} in {earlier[2]}"
        if text == other:
            what = f"has {where} already, so it would count twice; write it once, with a weight"
        else:
            what = f"has {where}, which finds the same as {shown(text)}; write one of them, with a weight"
        self._reader.wrong(path, what, earlier=earlier)

    def _excluded(self, terms: Mapping[str, Written]) -> None:
        """A term that keeps out every paper that it finds never counts."""
        if not terms["exclude"]:
            return
        out = {(self._sameness(term.text), place): path for path, term in terms["exclude"] for place in term.places}
        for key in ("keywords", "require", "any"):
            for path, term in terms[key]:
                keep_out = [out.get((self._sameness(term.text), place)) for place in term.places]
                if earlier := all(keep_out) and keep_out[0]:
                    what = f"excludes every paper in which {shown(term.text)} is found; leave out one of the two"
                    self._reader.wrong(path, what, earlier=earlier)

    def _sameness(self, text: str) -> str:
        known = self._same.get(text)
        if known is None:
            known = self._same[text] = sameness(text)
        return known

    def _bot_mode(self, path: Path, table: Mapping[str, Any]) -> None:
        if table.get("authors"):
            self._reader.wrong((*path, "authors"), 'are not looked at with match = "arxiv_rss_bot"; leave them out')
        for key in WORDS_ONLY:
            if key in table:
                self._reader.wrong((*path, key), 'is not known with match = "arxiv_rss_bot"; leave it out')
        for key in ("keywords", "exclude"):
            for number, item in enumerate(_items(table, key)):
                if isinstance(item, dict) and item.keys() & {"weight", "in"}:
                    what = f'has neither weight nor place with match = "arxiv_rss_bot"; write {shown(item.get("term"))}'
                    self._reader.wrong((*path, key, number), what)


def _items(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key)
    return value if isinstance(value, list) else []
