"""The web pages for people: values in, complete HTML documents out, readable without any script.

No page asks the clock: nothing on it depends on when or how often it was made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from services.publisher import latex
from services.publisher.cards import card, paper_card
from services.publisher.feed import BatchStatus, Day, Entry
from services.publisher.text import scrubbed
from services.publisher.truth import check_sentence, day_sentences, fetcher_sentence, state_word, status_sentence
from services.publisher.words import day_line, shortened, weekday
from shared.fetcher_state import FetcherState
from shared.messages import AnnouncementChecked, Paper

CONTENT_TYPE = "text/html; charset=utf-8"
CARDS = 50
"""Entries shown as cards; the rest of a long day follows as titles."""

Links = Sequence[tuple[str, str]]
"""Feeds as (slug, title), in the order of the configuration."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file the pages need, served below `/static/` for ever: its name holds its content's hash."""

    content: bytes
    content_type: str


def _static(name: str, content_type: str) -> tuple[str, StaticFile]:
    content = (files(__package__) / "static" / name).read_bytes()
    stem, suffix = name.rsplit(".", 1)
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}", StaticFile(content, content_type)


_STYLE = _static("paperwire.css", "text/css; charset=utf-8")
_KEYS = _static("keys.js", "text/javascript; charset=utf-8")
_ICON = _static("icon.svg", "image/svg+xml")
STATIC: Mapping[str, StaticFile] = dict((_STYLE, _KEYS, _ICON))


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("services.publisher"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(style=_STYLE[0], keys=_KEYS[0], icon=_ICON[0])
    made.filters.update(day=day_line, weekday=weekday, tex=_tex, state=state_word, verdict=check_sentence)
    return made


def _tex(text: str) -> Markup:
    return Markup(latex.html(shortened(text)))  # noqa: S704 - latex.html escapes


_ENVIRONMENT = _environment()


def day_page(day: Day, feeds: Links, *, public_url: str, notice: str | None = None) -> bytes:
    """A day's papers: of one feed, or of all."""
    titles = dict(feeds)
    path = f"/feeds/{day.slug}" if day.slug else "/"
    return _rendered(
        "day.html",
        feeds,
        public_url,
        path,
        day=day,
        feed_title=titles.get(day.slug, day.slug) if day.slug else None,
        titles=titles,
        sentences=day_sentences(day),
        notice=notice,
        shown=[card(entry, public_url) for entry in day.entries[:CARDS]],
        rest=day.entries[CARDS:],
        extracted=any(entry.summary and entry.summary.made_by == "extraction" for entry in day.entries),
        models=_models(day.entries),
        read=_read(day.entries),
    )


def paper_page(paper: Paper, entries: Sequence[Entry], feeds: Links, *, public_url: str) -> bytes:
    """One paper, with what every feed says of it."""
    made = paper_card(paper, entries, public_url)
    announced = min((entry.date for entry in entries), default=None)
    return _rendered(
        "paper.html", feeds, public_url, "/papers", paper=paper, card=made, titles=dict(feeds), announced=announced
    )


def feeds_page(feeds: Sequence[tuple[str, str, str]], *, public_url: str) -> bytes:
    """All feeds with their addresses and a line on reading them."""
    links = [(slug, title) for slug, title, _ in feeds]
    return _rendered("feeds.html", links, public_url, "/feeds", described=feeds)


def status_page(
    statuses: Sequence[BatchStatus],
    feeds: Links,
    *,
    public_url: str,
    fetcher: FetcherState | None = None,
    notice: str | None = None,
    checks: Sequence[AnnouncementChecked] = (),
) -> bytes:
    """Is it known, must I do something: the announcements and their counts, newest first."""
    newest_first = sorted(statuses, key=lambda status: (status.date, status.batch), reverse=True)
    return _rendered(
        "status.html",
        feeds,
        public_url,
        "/status",
        sentence=status_sentence(statuses, fetcher, checks),
        fetcher=fetcher_sentence(fetcher) if fetcher else None,
        failing=fetcher is not None and fetcher.failed,
        checks=checks,
        notice=notice,
        statuses=newest_first,
    )


def not_found_page(what: str, feeds: Links, *, public_url: str) -> bytes:
    """There is no such page; `what` names what was looked for."""
    return _rendered("missing.html", feeds, public_url, "", what=what)


def _read(entries: Sequence[Entry]) -> str:
    """What the models read, in words."""
    sources = {entry.summary.source for entry in entries if entry.summary and entry.summary.model}
    return " or ".join(f"{source}s" for source in sorted(sources)) or "abstracts"


def _models(entries: Sequence[Entry]) -> list[str]:
    return sorted({entry.summary.model for entry in entries if entry.summary and entry.summary.model})


def _rendered(template: str, feeds: Links, public_url: str, path: str, **values: Any) -> bytes:
    """Links inside the site start at its root, so that it can also be read under another name."""
    root = urlsplit(public_url).path.rstrip("/")
    page = _ENVIRONMENT.get_template(template)
    return scrubbed(page.render(feeds=feeds, root=root, public_url=public_url, path=path, **values)).encode()
