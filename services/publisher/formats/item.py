"""The body of a feed item: HTML that survives every reader's cleaning.

It opens with the one-sentence summary, because list previews show the first 250 characters. Only elements that
Miniflux, FreshRSS, feedparser and NetNewsWire all keep; no attribute but absolute links.
"""

from __future__ import annotations

from html import escape

import nh3

from services.publisher import latex
from services.publisher.feed import Entry
from services.publisher.words import (
    WITHDRAWN,
    absence_line,
    author_names,
    links,
    names_line,
    origin_line,
    rank_line,
    reasons_line,
    withdrawn,
)
from shared.messages import Paper, StructuredSummary

MAX_BYTES = 20_000
RESERVE = 500
FIELD_CHARACTERS = 800

_TEXT_TAGS = {"p", "b", "i", "em", "strong", "small", "sub", "sup", "a", "br", "h3"}
_TAGS = _TEXT_TAGS | {"ul", "ol", "li", "code", "pre", "blockquote", "table"}


def body(entry: Entry, public_url: str) -> str:
    """The whole item, below 20 kB, cleaned once more at the end."""
    opening = f"{_withdrawal(entry.paper)}{_summary(entry)}\n{_why(entry)}"
    closing = f"{_links(entry.paper, public_url)}\n{_small_print(entry)}"
    abstract = _abstract(entry.paper, MAX_BYTES - len(f"{opening}{closing}".encode()) - RESERVE)
    return nh3.clean(
        f"{opening}\n<h3>Abstract</h3>{abstract}\n{closing}",
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https"},
        link_rel=None,
    )


def lead(entry: Entry) -> str:
    """The one-sentence summary as plain text, or why there is none."""
    return latex.plain(entry.summary.text.tldr) if entry.summary else absence_line(entry)


def details(text: StructuredSummary) -> list[tuple[str, str]]:
    """The named parts after the first sentence, those that say something."""
    return [(name, part) for name, part in (("Method", text.method), ("Result", text.result)) if part.strip()]


def _withdrawal(paper: Paper) -> str:
    return f"<p><b>{WITHDRAWN}</b></p>\n" if withdrawn(paper) else ""


def _summary(entry: Entry) -> str:
    if entry.summary is None:
        return f"<p><i>{_html(absence_line(entry))}</i></p>"
    rows = (f"<li><b>{name}:</b> {_html(part)}</li>" for name, part in details(entry.summary.text))
    parts = "".join(rows)
    return f"<p>{_html(entry.summary.text.tldr)}</p>" + (f"\n<ul>{parts}</ul>" if parts else "")


def _why(entry: Entry) -> str:
    reasons = reasons_line(entry.reasons)
    matched = f"{escape(reasons)}. " if reasons else ""
    return f"<p><b>Why:</b> {matched}{rank_line(entry)}.</p>"


def _abstract(paper: Paper, room: int) -> str:
    """All paragraphs, or as many as fit into that many bytes, with a note that there is more."""
    shown: list[str] = []
    size = 0
    for paragraph in latex.paragraphs(paper.abstract):
        text = f"<p>{latex.html(paragraph)}</p>"
        size += len(text.encode())
        if size > room:
            shown += [_beginning(paragraph, room)] if not shown else []
            shown.append("<p><i>The abstract is cut here; the whole text is on arXiv.</i></p>")
            break
        shown.append(text)
    return "".join(shown) or "<p><i>The source gives no abstract.</i></p>"


def _beginning(paragraph: str, room: int) -> str:
    longest = room // 6  # bytes that one escaped character can need
    return f"<p>{escape(latex.plain(paragraph)[:longest], quote=False)} …</p>"


def _links(paper: Paper, public_url: str) -> str:
    found = links(paper, public_url)
    name = f"arXiv:{paper.id}" if paper.source.startswith("arxiv") else paper.doi or found.name
    named = ((name, found.abs), ("PDF", found.pdf), ("HTML", found.html), ("Code", found.code),
             ("on Paperwire", found.permalink))  # fmt: skip
    return f"<p>{' · '.join(_link(words, address) for words, address in named if address)}</p>"


def _link(words: str, address: str) -> str:
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def _small_print(entry: Entry) -> str:
    paper = entry.paper
    authors = names_line([name[:100] for name in author_names(paper)])
    summary = f"{origin_line(entry.summary)}." if entry.summary else ""
    comment = latex.plain(paper.comment or "")[:200]
    facts = (authors, ", ".join(paper.categories[:20]), f"v{paper.version}", comment, summary)
    return f"<p><small>{' · '.join(escape(fact, quote=False) for fact in facts if fact)}</small></p>"


def _html(text: str) -> str:
    short = text if len(text) <= FIELD_CHARACTERS else f"{text[:FIELD_CHARACTERS]} …"
    return latex.html(short)
