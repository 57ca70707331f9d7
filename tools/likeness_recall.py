"""Measures likeness on recorded papers: liking an author's earlier papers, are the later ones among a day's best 30?

    python -m tools.likeness_recall PAPERS.jsonl.gz…

Each line of the files is a JSON object with `id`, `title`, `abstract`, `authors` and `listed` (the day). Two minutes
for 51,296 papers; docs/decisions tells what came of it.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from services.scorer.likeness import Profiles
from shared.feeds import FeedConfig
from shared.library import LikedPaper
from shared.messages import Paper

BEST = 30
FEWEST, MOST = 8, 16  # papers of an author: enough to like, few enough to be one person

Record = dict[str, Any]


class Case(NamedTuple):
    """What is liked, and what should be found, as numbers of papers."""

    liked: list[int]
    wanted: list[int]


def records(paths: Sequence[str]) -> list[Record]:
    """All papers."""
    found = []
    for path in map(Path, paths):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in lines]
    return found


def cases(papers: Sequence[Record]) -> list[Case]:
    """One for each author: the earlier half of the papers is liked."""
    by_author: dict[str, list[int]] = defaultdict(list)
    for number, paper in enumerate(papers):
        if len(paper["authors"]) > 1:
            for author in {paper["authors"][0], paper["authors"][-1]}:
                by_author[author].append(number)
    found = []
    for author in sorted(by_author):
        own = sorted(by_author[author], key=lambda number: (papers[number]["listed"], number))
        liked = own[: len(own) // 2]
        wanted = [number for number in own if papers[number]["listed"] > papers[liked[-1]]["listed"]] if liked else []
        if FEWEST <= len(own) <= MOST and wanted:
            found.append(Case(liked, wanted))
    random.Random(7).shuffle(found)
    return found


def together(found: Sequence[Case], count: int) -> list[Case]:
    """So many authors to a feed."""
    groups = [found[start : start + count] for start in range(0, len(found) - count + 1, count)]
    return [Case(*(sorted({n for case in group for n in case[part]}) for part in (0, 1))) for group in groups]


def ranks(papers: Sequence[Record], found: Sequence[Case]) -> Iterator[int]:
    """How many papers of its day are before each wanted one."""
    feeds = [FeedConfig(slug=str(n), title="", like=("x",), min_likeness=0.0001) for n in range(len(found))]
    liked = {feed.slug: [_liked(papers[n]) for n in case.liked] for feed, case in zip(feeds, found, strict=True)}
    profiles = Profiles.of(feeds, liked)
    days: dict[str, list[int]] = defaultdict(list)
    for number, paper in enumerate(papers):
        days[paper["listed"]].append(number)
    for day in days.values():
        values = dict(zip(day, profiles.likeness([_paper(papers[number]) for number in day]), strict=True))
        for feed, case in zip(feeds, found, strict=True):
            known = set(case.liked)
            others = np.array([values[number].get(feed.slug, 0.0) for number in day if number not in known])
            for number in set(case.wanted).intersection(day) - known:
                yield int((others > values[number].get(feed.slug, 0.0)).sum())


def _liked(paper: Record) -> LikedPaper:
    return LikedPaper(paper["id"], paper["title"], paper["abstract"])


def _paper(paper: Record) -> Paper:
    return Paper(id=paper["id"], version=1, title=paper["title"], abstract=paper["abstract"])


def main(paths: list[str]) -> None:
    """Print recall for one, three and twenty authors to a feed."""
    papers = records(paths)
    found = cases(papers)
    for count in (1, 3, 20):
        before = list(ranks(papers, together(found, count)))
        recall = sum(rank < BEST for rank in before) / len(before)
        print(f"authors to a feed: {count:2}   wanted papers: {len(before):5,}   recall at {BEST}: {recall:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:] or sys.exit(__doc__))
