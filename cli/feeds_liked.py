"""Feeds with the papers that they like: those at hand, or those that the running scorer has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.feeds_file import Trouble
from cli.feeds_papers import Papers, asked, database_of
from services.scorer import liking
from services.scorer.probing import Make
from services.scorer.scoring import Profiles, Scorer
from shared.feeds import FeedConfig
from shared.library import LikedPaper
from shared.messages import Paper

if TYPE_CHECKING:
    from services.publisher.archive import Archive
    from shared.bus import Bus

MOST_TOLD = 5
MISSING = "paperwire_liked_papers_missing"  # the gauge that the running scorer has too


def with_liked(papers: Papers, feeds: Sequence[FeedConfig], file: Path, database: str | None) -> Papers:
    """The papers, to be judged with what the feeds like. What is missing of it is told."""
    if not any(feed.like for feed in feeds):
        return papers
    wanted = liking.resolve(feeds, file, {}, {}).ids
    url = database_of(database)
    known = asked(url, lambda archive: archive.papers(wanted)) if url else {}
    return replace(papers, make=_compiled(feeds, file, {**papers.by_id, **known}))


async def in_archive(archive: Archive, feeds: Sequence[FeedConfig], file: Path) -> Make:
    """How feeds are compiled, with what the archive and files have of the papers that they like."""
    if not any(feed.like for feed in feeds):
        return Scorer
    wanted = liking.resolve(feeds, file, {}, {}).ids
    return _compiled(feeds, file, await archive.papers(wanted))


async def in_services(bus: Bus, feeds: Sequence[FeedConfig], file: Path) -> Make:
    """How the running scorer compiles them: with everything that the fetcher has brought."""
    from services.scorer.liked import Liked
    from shared.errors import Unavailable
    from shared.metrics import Metrics

    if not any(feed.like for feed in feeds):
        return Scorer
    metrics = Metrics("cli")
    try:
        profiles = await Liked(bus, file, metrics).profiles(feeds)
    except Unavailable as error:
        raise Trouble(f"NATS_URL: {error}") from None
    if missing := metrics.registry.get_sample_value(MISSING):
        typer.echo(
            f"{missing:g} of what the feeds like are not there yet, so likeness is counted without; they are ordered, "
            "so fill again when they have come",
            err=True,
        )
    return _make(profiles)


def _compiled(feeds: Sequence[FeedConfig], file: Path, known: Mapping[str, Paper]) -> Make:
    liked = {name: LikedPaper(name, paper.title, paper.abstract) for name, paper in known.items()}
    loaded = liking.load_profiles(feeds, file, liked)
    for problem in loaded.resolved.problems:
        typer.echo(problem, err=True)
    if missing := loaded.missing:
        more = f" and {len(missing) - MOST_TOLD} more" if len(missing) > MOST_TOLD else ""
        typer.echo(
            f"liked, but not at hand, so likeness is counted without: {', '.join(missing[:MOST_TOLD])}{more}; "
            "`paperwire fetch ID` brings papers into the archive, a downloaded library can be named as a file",
            err=True,
        )
    return _make(loaded.profiles)


def _make(profiles: Profiles) -> Make:
    return lambda feeds: Scorer(feeds, profiles)
