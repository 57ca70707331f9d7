"""A digest of a feed's newest day in Markdown, for mail, chat and notes."""

from __future__ import annotations

import re
from urllib.parse import quote

from services.publisher.feed import Entry, Feed
from services.publisher.formats import address
from services.publisher.formats.item import details, lead
from services.publisher.latex import plain
from services.publisher.text import one_line, scrubbed
from services.publisher.words import (
    author_names,
    day_line,
    headline,
    links,
    names_line,
    origin_line,
    rank_line,
    reasons_line,
)
from shared.messages import Paper

CONTENT_TYPE = "text/markdown"
SUFFIX = ".md"
MAX_NAMES = 10

_SPECIAL = re.compile(r"([\\`*_\[\]{}|~$])")
_OPENING = re.compile(r"^([-+#>=:]|\d{1,9}(?=[.)]))")


def render(feed: Feed) -> bytes:
    """The newest day's entries by rank."""
    newest = max((entry.date for entry in feed.entries), default=None)
    entries = sorted((entry for entry in feed.entries if entry.date == newest), key=lambda entry: entry.rank)
    day = f": {day_line(newest)}" if newest else ""
    blocks = [f"# {escaped(feed.title) or feed.slug}{day}", escaped(feed.description), _count(len(entries))]
    blocks += [_entry(entry, feed.public_url) for entry in entries]
    blocks.append(f"---\n\n[This feed on Paperwire]({_target(address(feed))})")
    return ("\n\n".join(block for block in blocks if block) + "\n").encode()


def escaped(text: str) -> str:
    """Text from outside as one line that Markdown, and HTML inside Markdown, leave alone."""
    line = one_line(scrubbed(text)).replace("&", "&amp;").replace("<", "&lt;")
    return _OPENING.sub(_disarmed, _SPECIAL.sub(r"\\\1", line))


def _disarmed(match: re.Match[str]) -> str:
    """What would open a list, a heading or a quotation at the start of a line."""
    return f"{match[1]}\N{WORD JOINER}" if match[1][0].isdigit() else f"\\{match[1]}"


def _count(papers: int) -> str:
    return {0: "No papers yet.", 1: "1 paper."}.get(papers, f"{papers} papers.")


def _entry(entry: Entry, public_url: str) -> str:
    paper = entry.paper
    title = f"## {entry.rank}. [{escaped(headline(paper))}]({_target(links(paper, public_url).abs)})"
    names = escaped(names_line(author_names(paper), MAX_NAMES))
    facts = " · ".join(part for part in (names, escaped(", ".join(paper.categories))) if part)
    blocks = (
        title,
        facts,
        escaped(lead(entry)),
        _details(entry),
        _why(entry),
        _links(paper, public_url),
        _origin(entry),
    )
    return "\n\n".join(block for block in blocks if block)


def _details(entry: Entry) -> str:
    parts = details(entry.summary.text) if entry.summary else []
    return "\n".join(f"- **{name}:** {escaped(plain(part))}" for name, part in parts)


def _why(entry: Entry) -> str:
    reasons = reasons_line(entry.reasons)
    return f"**Why:** {escaped(f'{reasons}. ' if reasons else '')}{' ' if reasons else ''}{escaped(rank_line(entry))}."


def _links(paper: Paper, public_url: str) -> str:
    found = links(paper, public_url)
    named = (("PDF", found.pdf), ("HTML", found.html), ("Code", found.code), ("on Paperwire", found.permalink))
    return " · ".join(f"[{words}]({_target(link)})" for words, link in named if link)


def _origin(entry: Entry) -> str:
    return f"*{escaped(origin_line(entry.summary))}.*" if entry.summary else ""


def _target(url: str) -> str:
    """An address that cannot end its own brackets."""
    return quote(url, safe=":/?&=#%~@+,;!'$-._")
