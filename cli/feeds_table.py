"""The table that `paperwire feeds check` prints: what the feeds look for, and what they take, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from rich.markup import escape
from rich.table import Column, Table

from shared.feeds import ARXIV, FeedConfig

LONGEST_SLUG = 20  # on one line


def table_of(feeds: Iterable[FeedConfig]) -> Table:
    """A row for each feed; what it does not use takes no room."""
    table = Table(
        Column("feed", no_wrap=True),
        Column("takes from", overflow="fold"),
        Column("looks for", overflow="fold"),
        Column("at most", overflow="fold"),
        Column("summaries", overflow="fold"),
    )
    for feed in feeds:
        table.add_row(*(escape("\n".join(lines)) for lines in _row(feed)))
    return table


def _row(feed: FeedConfig) -> tuple[Iterable[str], ...]:
    return (
        wrap(feed.slug, LONGEST_SLUG),
        ["; ".join(_origins(feed))],
        _wanted(feed),
        _limits(feed),
        _summaries(feed),
    )


def _origins(feed: FeedConfig) -> Iterable[str]:
    """`cs.AI, cs.CL; lab`: arXiv by its categories, the others by name."""
    if ARXIV in feed.sources:
        yield ", ".join(feed.categories) or "all of arXiv"
    yield from (source for source in feed.sources if source != ARXIV)


def _wanted(feed: FeedConfig) -> Iterable[str]:
    """`12 terms`, `all of 2`, `any of 3`, `like 2`, `a search`, `none of 4`, `score 2+`."""
    if terms := len(feed.keywords) + len(feed.authors):
        yield _count(terms, "term")
    if feed.require:
        yield f"all of {len(feed.require)}"
    yield from (f"any of {len(group)}" for group in feed.any_of)
    if feed.like:
        yield f"like {len(feed.like)}: +{feed.like_weight:g}"
    if feed.search:
        yield "a search"
    if feed.exclude:
        yield f"none of {len(feed.exclude)}"
    yield f"score {feed.min_score:g}+"


def _limits(feed: FeedConfig) -> Iterable[str]:
    """`30`, `5 a category`, `2 an author`, `unseen in agents`, `unseen in 3 feeds`."""
    yield str(feed.max_papers)
    if feed.max_per_category is not None:
        yield f"{feed.max_per_category} a category"
    if feed.max_per_author is not None:
        yield f"{feed.max_per_author} an author"
    if feed.seen:
        yield f"unseen in {feed.seen[0] if len(feed.seen) == 1 else _count(len(feed.seen), 'feed')}"


def _summaries(feed: FeedConfig) -> Iterable[str]:
    summary = feed.summary
    if not summary.top:
        return ("none",)
    return f"best {summary.top}", summary.style, ", ".join(summary.languages)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
