"""Terms and feeds for benchmarks of the scorer: a harsh vocabulary, drawn from the recorded papers' running text.

Half of the terms stand in the papers, common words most of all, because they are drawn where the text has them; half
are put together of its words, so that a matcher must look at their beginnings in vain. People's terms are rarer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from cli.bench.corpus import recorded_papers
from shared.feeds import FeedConfig, Term

TERMS = 35_000
TERMS_PER_FEED = 35
SOURCE = 400  # papers that the words come from
SHORTEST = 5  # letters in a term
SEED = 2
WORD = re.compile(r"[a-z][a-z0-9]{3,}")
ENDINGS = ("ix", "oid", "ase", "on", "um", "ex")


def vocabulary(count: int = TERMS) -> tuple[str, ...]:
    """So many different terms of one to three words, always the same."""
    words = WORD.findall(" ".join(f"{paper['title']} {paper['abstract']}" for paper in recorded_papers(SOURCE)).lower())
    choice = random.Random(SEED)  # noqa: S311 - a draw, no secret
    terms: dict[str, None] = {}
    while len(terms) < count:
        length = choice.choices((1, 2, 3), (4, 5, 1))[0]
        term = _drawn(words, length, choice) if choice.random() < 0.5 else _invented(words, length, choice)
        if len(term) >= SHORTEST:
            terms[term] = None
    return tuple(terms)


def feeds_of(terms: Sequence[str], feeds: int, min_score: float) -> list[FeedConfig]:
    """Feeds of 35 random terms each; with the same terms always the same."""
    choice = random.Random(SEED)  # noqa: S311 - a draw, no secret
    shared = [Term(term) for term in terms]
    return [
        FeedConfig(
            slug=f"feed-{number:05}",
            title=f"Feed {number}",
            keywords=tuple(choice.sample(shared, TERMS_PER_FEED)),
            min_score=min_score,
        )
        for number in range(feeds)
    ]


def in_use(feeds: Sequence[FeedConfig]) -> list[str]:
    """All their terms, each once."""
    return sorted({term.text for feed in feeds for term in feed.keywords})


def _drawn(words: Sequence[str], length: int, choice: random.Random) -> str:
    start = choice.randrange(len(words) - length)
    return " ".join(words[start : start + length])


def _invented(words: Sequence[str], length: int, choice: random.Random) -> str:
    if length > 1:
        return " ".join(choice.choice(words) for _ in range(length))
    return f"{choice.choice(words)}{choice.choice(ENDINGS)}{choice.choice('abcdefgh')}"
