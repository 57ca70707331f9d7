"""`paperwire feeds try --diff`: what a change of the configuration adds, drops and moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import typer
from rich.table import Column, Table
from rich.text import Text

from cli.feeds_file import count
from cli.feeds_papers import Papers
from cli.feeds_show import print_table, title_of, why
from cli.feeds_trial import Row, rows, trial, trials
from services.scorer.days import Outcome
from services.scorer.explaining import Explanation, explain
from shared.feeds import FeedConfig
from shared.messages import PaperAnnounced

State = Literal["new", "gone", "changed", "same"]
Key = tuple[str, str]
"""Day and id."""


@dataclass(frozen=True, slots=True)
class Move:
    """A paper that is in both, with another rank, score or reason."""

    before: Row
    after: Row

    @property
    def gained(self) -> list[Mapping[str, Any]]:
        """Reasons that are new, or have other points."""
        return _without(self.after["reasons"], self.before["reasons"])

    @property
    def lost(self) -> list[Mapping[str, Any]]:
        """Reasons that are no more, or had other points."""
        return _without(self.before["reasons"], self.after["reasons"])


@dataclass(frozen=True, slots=True)
class Change:
    """What became different in one feed."""

    feed: str
    state: State
    entered: tuple[tuple[Row, str], ...] = ()
    """Papers that come in, and why they were out."""
    left: tuple[tuple[Row, str], ...] = ()
    """Papers that drop out, and why."""
    moved: tuple[Move, ...] = ()

    @property
    def different(self) -> bool:
        """Whether anything did. A feed that is new or gone is different even when no paper is."""
        return self.state != "same"


class Configuration:
    """One of the two: its feeds, and what they take. The papers are the same for both, but not what is liked."""

    def __init__(self, papers: Papers, feeds: Sequence[FeedConfig], slug: str | None) -> None:
        """With a slug that feed only."""
        self._make = papers.make
        self._keys: dict[tuple[str, str], set[Key]] = {}
        self.feeds = {feed.slug: feed for feed in feeds if slug in (None, feed.slug)}
        one = self.feeds.get(slug or "")
        self._outcomes = {one.slug: trial(papers, one, feeds)} if one else trials(papers, feeds)

    def rows(self, slug: str) -> dict[Key, Row]:
        """What the feed takes; nothing when there is none of that name."""
        feed = self.feeds.get(slug)
        return {(row["date"], row["id"]): row for row in rows(self._outcomes[slug], feed)} if feed else {}

    def out(self, slug: str, key: Key, row: Row) -> str:
        """Why the paper in this row of the other configuration is not in the feed."""
        feed = self.feeds.get(slug)
        if feed is None:
            return "there is no such feed"
        announced = _announced(key, self._outcomes[slug])
        if announced is None:
            return "it is not among the papers"
        found = explain(announced, feed, self._make)
        return _reason(found, row) if not found.matches else self._crowded(feed, key, found.score)

    def _crowded(self, feed: FeedConfig, key: Key, score: float) -> str:
        """Why a paper that matches was not taken all the same."""
        others = [slug for slug in feed.seen if key in self._taken(feed, slug)]
        if others:
            return f"{', '.join(others)} took it, and this feed leaves that out"
        of_day = [one for one in self._taken(feed, feed.slug) if one[0] == key[0]]
        full = len(of_day) >= feed.max_papers
        return f"score {score:g}, others are before it" + ("" if full else " and its category or an author has enough")

    def _taken(self, feed: FeedConfig, slug: str) -> set[Key]:
        """What a feed took that this one looks at, or this one itself."""
        if (feed.slug, slug) not in self._keys:
            taken = self._outcomes[feed.slug].taken(slug)
            self._keys[feed.slug, slug] = {(one.scored.date.isoformat(), one.scored.paper.id) for one in taken}
        return self._keys[feed.slug, slug]


def changes(before: Configuration, after: Configuration) -> list[Change]:
    """For each feed of either what became different, in the order of the new one, gone ones last."""
    return [_change(slug, before, after) for slug in {**after.feeds, **before.feeds}]


def _change(slug: str, before: Configuration, after: Configuration) -> Change:
    was, now = before.rows(slug), after.rows(slug)
    entered = tuple((row, before.out(slug, key, row)) for key, row in now.items() if key not in was)
    left = tuple((row, after.out(slug, key, row)) for key, row in was.items() if key not in now)
    moved = tuple(Move(was[key], row) for key, row in now.items() if key in was and _differs(was[key], row))
    state: State = "new" if slug not in before.feeds else "gone" if slug not in after.feeds else "changed"
    if state == "changed" and not (entered or left or moved):
        state = "same"
    return Change(slug, state, entered, left, moved)


def _differs(before: Row, after: Row) -> bool:
    return bool(before["rank"] != after["rank"] or before["score"] != after["score"] or _lost(before, after))


def _lost(before: Row, after: Row) -> bool:
    move = Move(before, after)
    return bool(move.gained or move.lost)


def _without(reasons: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    known = {(one["term"], one["field"], one["weight"]) for one in others}
    return [one for one in reasons if (one["term"], one["field"], one["weight"]) not in known]


def _announced(key: Key, outcome: Outcome) -> PaperAnnounced | None:
    day, paper_id = key
    days = (one.announcement for one in outcome.judged if one.announcement.date.isoformat() == day)
    return next((paper for one in days for paper in one.announced if paper.paper.id == paper_id), None)


def _reason(found: Explanation, row: Row) -> str:
    failed = [check.text for check in found.checks if not check.passed]
    has = {finding.term for finding in found.findings if finding.reason and finding.role != "exclude"}
    missing = [
        one["term"] for one in row["reasons"] if one["field"] not in ("like", "search") and one["term"] not in has
    ]
    return "; ".join(failed) + (f"; without {', '.join(dict.fromkeys(missing))}" if missing else "")


# ---- JSON


def as_json(change: Change) -> dict[str, Any]:
    """The change for programs: rows as `feeds try` has them."""
    return {
        "feed": change.feed,
        "state": change.state,
        "entered": [{**row, "was_out": reason} for row, reason in change.entered],
        "left": [{**row, "is_out": reason} for row, reason in change.left],
        "moved": [_moved(move) for move in change.moved],
    }


def _moved(move: Move) -> dict[str, Any]:
    was, now = move.before, move.after
    return {
        "id": now["id"],
        "title": now["title"],
        "date": now["date"],
        "rank": {"before": was["rank"], "after": now["rank"]},
        "score": {"before": was["score"], "after": now["score"]},
        "gained": move.gained,
        "lost": move.lost,
    }


# ---- for people


def show(found: Sequence[Change], limit: int | None) -> None:
    """A table for each feed that is different, `limit` papers of each kind."""
    for change in found:
        typer.echo(_headline(change))
        if lines := list(_lines(change, limit)):
            table = Table(
                Column("", no_wrap=True), Column("id", no_wrap=True), "rank", "score", "paper and why", box=None
            )
            for line in lines:
                table.add_row(*line)
            print_table(table)


def _headline(change: Change) -> str:
    if change.state == "same":
        return f"{change.feed}: the same"
    numbers = f"{len(change.entered)} enter, {len(change.left)} leave, {len(change.moved)} move"
    word = {"new": " (a new feed)", "gone": " (gone)"}.get(change.state, "")
    return (
        f"{change.feed}{word}: {count(sum(map(len, (change.entered, change.left, change.moved))), 'change')}: {numbers}"
    )


def _lines(change: Change, limit: int | None) -> Iterator[tuple[Text | str, ...]]:
    for row, reason in change.entered[:limit]:
        yield _line(
            Text("+", "green"), row, why(row["reasons"]) + ("" if change.state == "new" else f"; was out: {reason}")
        )
    for row, reason in change.left[:limit]:
        yield _line(Text("-", "red"), row, "" if change.state == "gone" else f"is out: {reason}")
    for move in change.moved[:limit]:
        gained = f" gained {why(move.gained)}" if move.gained else ""
        lost = f" lost {why(move.lost)}" if move.lost else ""
        ranks = _step(str(move.before["rank"]), str(move.after["rank"]))
        score = _step(f"{move.before['score']:g}", f"{move.after['score']:g}")
        yield _line(Text("~", "yellow"), move.after | {"shown": (ranks, score)}, (gained + lost).strip())


def _step(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"


def _line(sign: Text, row: Row, reason: str) -> tuple[Text | str, ...]:
    rank, score = row.get("shown", (str(row["rank"]), f"{row['score']:g}"))
    title = title_of(row["title"], row["reasons"])
    return sign, row["id"], rank, score, title.append(f"\n{reason}", "dim") if reason else title
