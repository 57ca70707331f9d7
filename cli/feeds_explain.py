"""`paperwire feeds try --explain`: why is this paper in, or out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Column, Table
from rich.text import Text

from cli.feeds_file import Trouble, count
from cli.feeds_papers import Papers, announced, announcement, papers_in
from cli.feeds_show import MARK, print_table
from cli.feeds_trial import trial
from cli.progress import printable
from services.scorer.days import Judged, with_seen
from services.scorer.explaining import Explanation, Finding, explain
from services.scorer.marking import marked
from services.scorer.probing import Make
from services.scorer.standing import Needed, Standing, standing
from shared.feeds import FeedConfig
from shared.library import bare_id
from shared.messages import Paper, PaperAnnounced, Place, Reason

if TYPE_CHECKING:
    from services.publisher.archive import Archive

AROUND = 30  # characters of the text on both sides of a word
VERSION = re.compile(r"v\d+$")


@dataclass(frozen=True, slots=True)
class Answer:
    """A feed's judgement on a paper, and its standing in the announcement."""

    explanation: Explanation
    standing: Standing | None
    """None for a paper that was not announced: there is nothing that it is compared with."""
    candidates: int

    @property
    def taken(self) -> bool:
        """Whether the feed has it."""
        return self.standing is not None and self.standing.rank is not None


def identifier(given: str) -> str:
    """The paper's id without version, also of `arXiv:2512.08242v2` and of the address of its page."""
    return VERSION.sub("", bare_id(given) or given.strip())


def answers(papers: Papers, paper_id: str, feed: FeedConfig, feeds: Sequence[FeedConfig]) -> list[Answer]:
    """An answer for each announcement of the paper among these; `Trouble` when there is none."""
    wanted = identifier(paper_id)
    judged = trial(papers, feed, feeds).judged
    members = with_seen(feed, feeds)
    found = [(one, paper) for one in judged for paper in one.announcement.announced if paper.paper.id == wanted]
    if not found:
        raise Trouble(_missing(wanted, papers, feed))
    return [_answer(one, paper, judged, feed, members, papers.make) for one, paper in found]


def _answer(
    one: Judged,
    paper: PaperAnnounced,
    judged: Sequence[Judged],
    feed: FeedConfig,
    members: Sequence[FeedConfig],
    make: Make,
) -> Answer:
    found = explain(paper, feed, make)
    spotted = tuple(replace(each, reason=_marked(paper.paper, feed, each)) for each in found.findings)
    day = [each for each in judged if each.announcement.date == one.announcement.date]
    compared = one.announcement.source != "backfill"
    place = standing(day, one.announcement.batch, paper.paper, feed, members) if compared else None
    return Answer(replace(found, findings=spotted), place, one.announcement.papers)


def _marked(paper: Paper, feed: FeedConfig, finding: Finding) -> Reason | None:
    """The reason with its spans. An exclusion is marked as the keyword of a feed that has nothing else."""
    if finding.reason is None:
        return None
    if finding.role != "exclude":
        return marked(paper, feed, (finding.reason,))[0]
    terms = tuple(term for term in feed.exclude if term.text == finding.term)
    return marked(paper, replace(feed, keywords=terms, authors=(), require=(), any_of=()), (finding.reason,))[0]


def _missing(wanted: str, papers: Papers, feed: FeedConfig) -> str:
    among = count(len(papers_in(papers.of(feed))), "paper")
    return (
        f"{wanted} is not among these {among}; name the document that has it, or have it looked up in the archive: "
        f"set DATABASE_URL and leave out documents and days"
    )


async def from_archive(archive: Archive, paper_id: str) -> Papers:
    """The day that first brought the paper; `Trouble` when the archive does not know it."""
    wanted = identifier(paper_id)
    known = await archive.appearances(wanted)
    if not known:
        raise Trouble(
            f"{wanted} is not in the archive; `paperwire fetch {wanted}` brings it there, to be explained then"
        )
    first = known[0]
    if first.backfilled:
        papers = await archive.backfilled(first.date, first.date)
        return Papers(archived=tuple(map(announcement, papers)))
    return await announced(archive, first.date, first.date)


# ---- JSON


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer for programs."""
    one = answer.explanation
    return {
        "id": one.paper.id,
        "version": one.paper.version,
        "title": one.paper.title,
        "feed": one.feed,
        "batch": one.batch,
        "date": one.date,
        "kind": one.kind,
        "taken": answer.taken,
        "matches": one.matches,
        "score": one.score,
        "min_score": one.min_score,
        "why": verdict(answer),
        "terms": [_term(finding) for finding in one.findings],
        "like": one.like.model_dump() if one.like else None,
        "conditions": [asdict(check) for check in one.checks],
        "standing": asdict(answer.standing) if answer.standing else None,
    }


def _term(finding: Finding) -> dict[str, Any]:
    reason = finding.reason
    return {
        "term": finding.term,
        "role": finding.role,
        "group": finding.group,
        "weight": finding.weight,
        "in": list(finding.places),
        "found": reason.field if reason else None,
        "points": reason.weight if reason else 0.0,
        "spans": [span.model_dump() for span in reason.spans] if reason else [],
    }


# ---- for people


def show(answer: Answer) -> None:
    """The verdict first, then every term, then every condition."""
    one = answer.explanation
    print_table(Text(f"{one.paper.versioned_id}  {printable(one.paper.title)}", style="bold"))
    print_table(Text(f"{one.feed}: announced on {one.date} as {one.kind}, {one.batch}"))
    print_table(Text(f"\n{'In' if answer.taken else 'Out'}: {verdict(answer)}\n"))
    table = Table(Column("points", justify="right"), "term", "is", "where", box=None, padding=(0, 1))
    for finding in one.findings:
        if finding.reason:
            table.add_row(*_cells(finding, finding.reason, one.paper))
    if one.like:
        table.add_row(f"+{one.like.weight:g}", printable(one.like.term), "like", "resembles it")
    table.add_row(Text(f"{one.score:g}", style="bold"), "score", "", f"min_score {one.min_score:g}")
    print_table(table)
    if missing := [finding.term for finding in one.findings if not finding.reason]:
        print_table(Text(f"\nnot found: {printable(', '.join(missing))}", style="dim"))
    typer.echo("")
    for check in one.checks:
        print_table(Text(f"{'✓' if check.passed else '✗'} {printable(check.text)}"))


def _cells(finding: Finding, reason: Reason, paper: Paper) -> tuple[str, str, str, Text]:
    role = f"any {(finding.group or 0) + 1}" if finding.role == "any" else finding.role
    points = "✗" if finding.role == "exclude" else f"+{reason.weight:g}"
    return points, printable(finding.term), role, _where(reason, paper)


def _where(reason: Reason, paper: Paper) -> Text:
    """The field, and the words around the first place in it."""
    where = Text(reason.field)
    span = next((span for span in reason.spans if span.field == reason.field), None)
    if span is None:
        return where
    if span.field in ("authors", "categories"):
        return where.append(": ").append(printable(", ".join(items(paper, span.field)[span.start : span.end])), MARK)
    text = printable({"title": paper.title, "abstract": paper.abstract}.get(span.field, paper.comment or ""))
    first, last = max(0, span.start - AROUND), span.end + AROUND
    before, after = "…" * (first > 0) + text[first : span.start], text[span.end : last] + "…" * (last < len(text))
    return where.append(f": {before}").append(text[span.start : span.end], MARK).append(after)


def items(paper: Paper, field: Place) -> tuple[str, ...]:
    """The list that a span counts in."""
    return paper.authors if field == "authors" else paper.categories


def verdict(answer: Answer) -> str:
    """In one sentence or two: what decided, and what it would have needed."""
    return " ".join(_sentences(answer))


def _sentences(answer: Answer) -> Iterator[str]:
    one, place = answer.explanation, answer.standing
    if place is not None and place.rank is not None:
        yield f"rank {place.rank} with {one.score:g}; of {place.matched} that match {place.taken} are taken."
        return
    failed = [check.text for check in one.checks if not check.passed]
    if failed:
        yield f"{printable('; '.join(failed))}."
    elif place is None:
        yield "it matches, but was backfilled, not announced; readers are not told of such papers."
    if place is None:
        return
    if not failed:
        yield _crowded(answer, place)
    elif place.needed and one.score < place.needed.score:
        yield _needed(place.needed)


def _needed(needed: Needed) -> str:
    return f"To get in on this day it needed {'at least' if needed.enough else 'more than'} {needed.score:g}."


def _crowded(answer: Answer, place: Standing) -> str:
    """Why a paper that matches was not taken all the same."""
    score = answer.explanation.score
    stands = f"it matches with {score:g}, place {place.place} of {place.matched}, but "
    more = f" {_needed(place.needed)}" if place.needed else ""
    if place.kept_out_by == "seen":
        others = ", ".join(place.seen_in) or "a feed of its `seen`"
        return f"{stands}{others} took it, and this feed leaves that out."
    if place.kept_out_by in ("max_per_category", "max_per_author"):
        return f"{stands}{place.kept_out_by} was reached by better ones.{more}"
    if place.kept_out_by == "max_papers":
        return f"{stands}max_papers was reached: the last one taken has {place.last:g}.{more}"
    return f"{stands}a newer version of it, or an earlier announcement, stands for it."
