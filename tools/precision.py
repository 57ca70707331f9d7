"""Writes the tables of docs/precision.md: papers found by substrings, by naive regular expressions, and by our terms.

python -m tools.precision FILE.jsonl.gz… (`--sample 50` prints papers on which they disagree, for people to judge)

A line is a paper: a JSON object with `id`, `title`, `abstract` and `listed`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from services.scorer.marking import marked
from services.scorer.scoring import Scorer
from shared.feeds import FeedConfig, Term
from shared.messages import Paper, Reason

FILE = Path(__file__).resolve().parents[1] / "docs" / "precision.md"
BEGIN = "<!-- table: written by `python -m tools.precision` -->\n"
END = "<!-- /table -->\n"
TERMS = (
    *("LLM", "LLMs", "RL", "RLHF", "Inference", "Training", "Attention", "Pipeline", "MOE", "MoE", "Sparse"),
    *("Quantization", "Speculative", "Efficient", "Efficiency", "Framework", "Parallel", "Distributed", "Kernel"),
    *("Decode", "Decoding", "Prefill", "Throughput", "Fast", "Network", "Hardware", "Cluster", "FP8", "FP4"),
    *("Optimization", "Scalable", "Communication", "System", "Generation", "Video", "Linear"),
)
"""The keywords of a widely used bot that takes substrings, and two that people write beside them."""
SUBSTRING, WORD, OURS = "substring", r"\b…\b", "ours"
SEED = 4
AROUND = 60  # characters of a passage before and after


class Case(NamedTuple):
    """A paper that some found by a term, and some did not."""

    term: str
    paper: str
    found_by: tuple[str, ...]
    passage: str


@dataclass(frozen=True, slots=True)
class Ways:
    """One term in the three ways."""

    term: str

    def found_by(self, text: str, ours: bool) -> tuple[str, ...]:
        """Those that find it in a text."""
        word = re.search(rf"\b{re.escape(self.term)}\b", text, re.IGNORECASE) is not None
        found = {SUBSTRING: self.term.lower() in text.lower(), WORD: word, OURS: ours}
        return tuple(way for way, there in found.items() if there)


def read(files: Iterable[Path]) -> list[dict[str, str]]:
    """All papers, each once."""
    papers: dict[str, dict[str, str]] = {}
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                paper = json.loads(line)
                papers.setdefault(paper["id"], paper)
    return list(papers.values())


def feeds() -> list[FeedConfig]:
    """One for every term."""
    return [FeedConfig(slug=term, title=term, keywords=(Term(term),)) for term in TERMS]


def cases(papers: Sequence[Mapping[str, str]]) -> Iterable[Case]:
    """Every paper and term, with those who found it; the passage is the first that anyone found."""
    scorer, by_slug = Scorer(feeds()), {feed.slug: feed for feed in feeds()}
    ways = [Ways(term) for term in TERMS]
    for raw in papers:
        paper = Paper(id=raw["id"], version=1, title=raw["title"] or "?", abstract=raw["abstract"])
        text = f"{paper.title}\n{paper.abstract}"
        ours = {match.feed: match.reasons for match in scorer.matches(paper, "new")}
        for way in ways:
            found_by = way.found_by(text, way.term in ours)
            if found_by:
                yield Case(way.term, paper.id, found_by, _passage(paper, by_slug[way.term], ours.get(way.term, ())))


def _passage(paper: Paper, feed: FeedConfig, reasons: Sequence[Reason]) -> str:
    """The first place where anyone found the term, with some text around it."""
    spans = [span for reason in marked(paper, feed, reasons) for span in reason.spans]
    if spans:
        text = paper.title if spans[0].field == "title" else paper.abstract
        start, end = spans[0].start, spans[0].end
    else:
        text = f"{paper.title}\n{paper.abstract}"
        word = re.search(rf"\b{re.escape(feed.slug)}\b", text, re.IGNORECASE)
        start = word.start() if word else text.lower().find(feed.slug.lower())
        end = start + len(feed.slug)
    before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
    return " ".join(f"{before}**{text[start:end]}**{after}".split())


def table(found: Sequence[Case], papers: Sequence[Mapping[str, str]]) -> str:
    """The papers that each way finds by each term."""
    months = sorted({paper["listed"][:7] for paper in papers})
    head = f"{len(papers):,} papers, {months[0]} to {months[-1]}.\n\n"
    names = ("term", SUBSTRING, f"`{WORD}`", OURS, "substring, not ours", f"`{WORD}`, not ours", f"ours, not `{WORD}`")
    lines = [f"| {' | '.join(names)} |", f"|---|{'--:|' * (len(names) - 1)}"]
    by_term: dict[str, list[Case]] = {term: [] for term in TERMS}
    for case in found:
        by_term[case.term].append(case)
    lines += [f"| {term} | {' | '.join(f'{count:,}' for count in counts(cases))} |" for term, cases in by_term.items()]
    lines.append(f"| **together** | {' | '.join(f'**{count:,}**' for count in counts(found))} |")
    return "\n".join((f"\n{head}{lines[0]}", *lines[1:], ""))


def counts(found: Sequence[Case]) -> list[int]:
    """How many papers each way finds; then those that one finds and another does not."""
    pairs = ((SUBSTRING, OURS), (WORD, OURS), (OURS, WORD))
    alone = [sum(one in case.found_by and other not in case.found_by for case in found) for one, other in pairs]
    return [*(sum(way in case.found_by for case in found) for way in (SUBSTRING, WORD, OURS)), *alone]


def sample(found: Iterable[Case], size: int) -> list[Case]:
    """Cases in which not all agree, evenly from all kinds of disagreement, and from all terms in each of them."""
    kinds: dict[tuple[str, ...], dict[str, list[Case]]] = {}
    for case in found:
        if len(case.found_by) < 3:
            kinds.setdefault(case.found_by, {}).setdefault(case.term, []).append(case)
    choice = random.Random(SEED)
    draws = [_spread(kinds[kind], choice) for kind in sorted(kinds)]
    chosen: list[Case] = []
    while len(chosen) < size and draws:
        draws = [draw for draw in draws if draw]
        chosen += [draw.pop() for draw in draws]
    return sorted(chosen[:size], key=lambda case: (case.found_by, TERMS.index(case.term)))


def _spread(by_term: Mapping[str, Sequence[Case]], choice: random.Random) -> list[Case]:
    """One case of each term, in any order; then another of each, and so on: the first ones last."""
    mixed = [choice.sample(cases, len(cases)) for cases in by_term.values()]
    rounds = [[cases[turn] for cases in mixed if turn < len(cases)] for turn in range(max(map(len, mixed)))]
    return [case for turn in reversed(rounds) for case in choice.sample(turn, len(turn))]


def main() -> None:
    """Write the table, or print a sample."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, metavar="CASES", help="print so many disagreements, and write nothing")
    given = parser.parse_args()
    papers = read(given.files)
    found = list(cases(papers))
    if given.sample:
        for number, case in enumerate(sample(found, given.sample), start=1):
            passage = case.passage.replace("|", "\\|")
            print(f"| {number} | {case.term} | {case.paper} | {', '.join(case.found_by)} | {passage} |")
        return
    head, _, rest = FILE.read_text().partition(BEGIN)
    FILE.write_text(head + BEGIN + table(found, papers) + "\n" + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
