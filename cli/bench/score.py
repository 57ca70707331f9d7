"""Matching and scoring: 1 to 10,000 feeds of 35 terms, beside a naive loop and a bare automaton, round by round.

The naive loop asks `term in text` for each of the terms in use, in lower case: what most bots do. The bare automaton
finds the same terms as whole words in the text without punctuation, and throws away what it found: no plural, no
accent, no place, no feed, no score. Every variant takes the same papers, but for the naive loop over many terms, which
takes fewer.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ahocorasick_rs import AhoCorasick
from rich.console import Console
from rich.table import Table

from cli.bench.compiled import REALISTIC, Compiled, announced, in_own_process
from cli.bench.corpus import recorded_papers
from cli.bench.memory import MB
from cli.bench.parse import seconds
from cli.bench.vocabulary import TERMS_PER_FEED, feeds_of, in_use, vocabulary
from services.scorer.judge import appoint
from shared.messages import PaperAnnounced

NAIVE, AUTOMATON = "naive loop", "bare automaton"
OURS, REPORTING = "matching and scoring", "with its reports"
UNREACHABLE = 1_000_000.0  # a min_score
MOST_FEEDS = 100_000
FEWEST_REPORTS = 0.1  # a paper
NAIVE_TESTS = 2_000_000  # a round: a second
NORMAL = str.maketrans({code: " " for code in range(128) if not chr(code).isalnum()})


@dataclass(frozen=True, slots=True)
class Variant:
    """Something to measure; `work` gives how much it found, to show that it did."""

    papers: int
    work: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one number of feeds: microseconds a paper of every round, and what was found a paper."""

    feeds: int
    terms: int
    microseconds: Mapping[str, Sequence[float]]
    found: Mapping[str, float]
    """Terms, and reported matches."""
    naive_papers: int
    compiled: Compiled

    def ratio(self, floor: str, ours: str = OURS) -> float:
        """How many times the floor's rate ours is: the median of the rounds."""
        pairs = zip(self.microseconds[floor], self.microseconds[ours], strict=True)
        return statistics.median(bare / mine for bare, mine in pairs)

    @property
    def per_report(self) -> float | None:
        """Microseconds for each reported match, beside matching and scoring; None where there are too few to tell."""
        if self.found[REPORTING] < FEWEST_REPORTS:
            return None
        pairs = zip(self.microseconds[REPORTING], self.microseconds[OURS], strict=True)
        more = statistics.median(reporting - silent for reporting, silent in pairs)
        return more / self.found[REPORTING]


def run(papers: int, rounds: int, feeds: Sequence[int]) -> None:
    """Measure and print."""
    console = Console()
    all_papers = [announced(paper, number) for number, paper in enumerate(recorded_papers(papers))]
    console.print(f"{papers} papers, {TERMS_PER_FEED} terms a feed, {rounds} rounds, one core")
    terms = vocabulary()
    report(console, [measure(all_papers, terms, number, rounds) for number in feeds])


def measure(papers: Sequence[PaperAnnounced], terms: Sequence[str], feeds: int, rounds: int) -> Measured:
    """One number of feeds: every variant once a round."""
    texts = [f"{one.paper.title}\n{one.paper.abstract}" for one in papers]
    wanted = in_use(feeds_of(terms, feeds, UNREACHABLE))
    few = texts[: max(1, NAIVE_TESTS // len(wanted))]
    variants = {
        NAIVE: Variant(len(few), partial(_naive, few, wanted)),
        AUTOMATON: Variant(len(texts), _automaton(texts, wanted)),
        OURS: Variant(len(texts), _scored(papers, terms, feeds, UNREACHABLE)),
        REPORTING: Variant(len(texts), _scored(papers, terms, feeds, REALISTIC)),
    }
    found = {name: variant.work() / variant.papers for name, variant in variants.items()}
    figures: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            figures[name].append(seconds(variant.work) / variant.papers * 1_000_000)
    return Measured(feeds, len(wanted), figures, found, len(few), in_own_process(feeds))


def _naive(texts: Sequence[str], terms: Sequence[str]) -> int:
    found = 0
    for text in texts:
        low = text.lower()
        found += sum([term in low for term in terms])
    return found


def _automaton(texts: Sequence[str], terms: Sequence[str]) -> Callable[[], int]:
    automaton = AhoCorasick([f" {term} " for term in terms])
    find = automaton.find_matches_as_indexes
    return lambda: sum([len({found[0] for found in find(_normal(text), overlapping=True)}) for text in texts])


def _normal(text: str) -> str:
    """Words in lower case between single spaces."""
    if not text.isascii():
        text = text.encode("ascii", "replace").decode()
    return f" {' '.join(text.lower().translate(NORMAL).split())} "


def _scored(papers: Sequence[PaperAnnounced], terms: Sequence[str], feeds: int, min_score: float) -> Callable[[], int]:
    judge = appoint(tuple(feeds_of(terms, feeds, min_score)))
    parts = [papers[start : start + judge.at_once] for start in range(0, len(papers), judge.at_once)]
    return lambda: sum(len(scored.matches) for part in parts for scored in judge.scorer.score_all(part))


def report(console: Console, measured: Sequence[Measured]) -> None:
    """A table with a column for each number of feeds."""
    table = Table("", *(f"{one.feeds:,} feed{'s' * (one.feeds > 1)}" for one in measured), title="Papers per second")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, cells in rows(measured):
        table.add_row(name, *cells)
    console.print(table)
    fewer = "; ".join(f"for {one.terms:,} terms {one.naive_papers:,}" for one in measured)
    console.print(f"Papers of the {NAIVE}: {fewer}.", style="dim")
    console.print(f"With reports min_score is {REALISTIC:g}, else it is out of reach.", style="dim")


def rows(measured: Sequence[Measured]) -> list[tuple[str, list[str]]]:
    """The lines of the table: what is told, and it for every number of feeds."""

    def told(tell: Callable[[Measured], str]) -> list[str]:
        return [tell(one) for one in measured]

    rates = [
        (name, told(lambda one, name=name: f"{1e6 / statistics.median(one.microseconds[name]):,.0f}"))  # type: ignore[misc]
        for name in (NAIVE, AUTOMATON, OURS, REPORTING)
    ]
    return [
        ("different terms", told(lambda one: f"{one.terms:,}")),
        *rates,
        *(
            (f"{ours} / {floor}", told(lambda one, ours=ours, floor=floor: f"{one.ratio(floor, ours):,.2f}"))  # type: ignore[misc]
            for ours in (OURS, REPORTING)
            for floor in (NAIVE, AUTOMATON)
        ),
        ("terms found a paper", told(lambda one: f"{one.found[AUTOMATON]:,.2f}")),
        ("reports a paper", told(lambda one: f"{one.found[REPORTING]:,.2f}")),
        ("µs a report", told(lambda one: "" if one.per_report is None else f"{one.per_report:,.1f}")),
        ("build, s", told(lambda one: f"{one.compiled.build:,.2f}")),
        ("memory of the compiled feeds, MB", told(lambda one: f"{one.compiled.added / MB:,.0f}")),
        ("memory of the process, MB", told(lambda one: f"{one.compiled.resident / MB:,.0f}")),
        ("its peak, MB", told(lambda one: f"{one.compiled.peak / MB:,.0f}")),
    ]
