"""Terms that the configuration takes for the same are the same to the scorer."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from pathlib import Path

from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig, Term
from shared.feeds_terms import sameness
from tests.builders import a_paper, an_announcement

DAY = Path(__file__).parents[1] / "data" / "arxiv" / "rss" / "cs.AI+cs.CL+cs.DC+cs.LG.2025-12-10.xml"


def taken_for_the_same() -> list[tuple[str, str]]:
    """The pairs among the words of an announcement."""
    found = defaultdict(set)
    for word in set(re.findall(r"[A-Za-z]{2,}", DAY.read_text(encoding="utf-8"))):
        found[sameness(word)].add(word)
    return [pair for words in found.values() for pair in combinations(sorted(words), 2)]


def test_of_two_words_that_are_taken_for_the_same_each_term_finds_the_other() -> None:
    pairs = taken_for_the_same()
    words = sorted({word for pair in pairs for word in pair})
    feed = {word: f"feed-{number}" for number, word in enumerate(words)}
    scorer = Scorer([FeedConfig(slug=feed[word], title=word, keywords=(Term(word),)) for word in words])

    papers = {word: an_announcement(paper=a_paper(title=word, abstract="none")) for word in words}
    finds = {word: {match.feed for match in scorer.score(paper).matches} for word, paper in papers.items()}

    apart = [(one, other) for one, other in pairs if feed[other] not in finds[one] and feed[one] not in finds[other]]
    assert apart == []
    assert len(pairs) > 500
