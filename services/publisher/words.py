"""Words for readers: a paper's names, reasons, dates and addresses as short lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlsplit

from services.publisher.feed import Entry, Summary
from services.publisher.latex import plain
from services.publisher.text import one_line
from shared.messages import Paper, Reason

CODE_HOSTS = frozenset({"github.com", "gitlab.com", "huggingface.co"})
EXTRACTED = "Summary: sentences chosen from the abstract by rule, no model involved"
MAX_AUTHORS = 20
LONGEST_TITLE = 1_000

_ADDRESS = re.compile(r"https?://[^\s<>\"'{}|^`]+")
_TAG_LIKE = re.compile(r"<(/?[A-Za-z][\w:-]*/?)>")
_TIGHT_LESS = re.compile(r"\s*<\s*(?=\S)")
_BETWEEN = re.compile(r"(?<=\w)>(?=\w)")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Own names: strftime would follow the machine's language.
_SPRING = ("January", "February", "March", "April", "May", "June")
_AUTUMN = ("July", "August", "September", "October", "November", "December")
_MONTHS = _SPRING + _AUTUMN


@dataclass(frozen=True, slots=True)
class Links:
    """Where a paper can be read. Only arXiv's addresses follow from the id."""

    abs: str
    pdf: str | None
    html: str | None
    code: str | None
    permalink: str
    name: str = "arXiv"
    """What to call `abs`."""


def links(paper: Paper, public_url: str) -> Links:
    """All addresses of a paper; the permalink is its page on this site."""
    permalink = f"{public_url}/papers/{quote(paper.id, safe='/.')}"
    code = code_address(paper.abstract)
    if not paper.source.startswith("arxiv"):
        doi = f"https://doi.org/{quote(paper.doi, safe='/.()')}" if paper.doi else None
        shown = paper.url if re.match(r"https?://", paper.url or "") else None
        return Links(doi or shown or permalink, None, None, code, permalink, name="DOI" if doi else "Source")
    path = quote(paper.id, safe="/.")
    site = "https://arxiv.org"
    html = f"{site}/html/{path}v{paper.version}"
    return Links(f"{site}/abs/{path}", f"{site}/pdf/{path}", html, code, permalink)


def identity(paper: Paper) -> str:
    """The same IRI in every format and for every version: the abs address, which arXiv keeps for ever."""
    path = quote(paper.id, safe="/.")
    if paper.source.startswith("arxiv"):
        return f"https://arxiv.org/abs/{path}"
    return f"urn:x-paperwire:{quote(paper.source, safe='')}:{path}"


def code_address(abstract: str) -> str | None:
    """The first repository that an abstract names, if its host is exactly one of the known ones."""
    source = re.sub(r"\\([_%#&~])", r"\1", abstract)
    for match in _ADDRESS.finditer(source):
        address = match[0].rstrip(".,;:!?)]\\")
        if _is_repository(address):
            return address
    return None


def _is_repository(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.netloc.lower() in CODE_HOSTS and len(parts.path) > 1 and address.isascii()


_WORK = r"(?:paper|submission|article|preprint|manuscript|work)"
# Withdrawn from arXiv, not from a conference or a journal; and this paper, not an earlier version of it.
_GONE = r"(?:(?:has|have) been|was|is)?\s*withdrawn\b(?!\s+(?:from|before|earlier)\b)"
_WITHDRAWN = re.compile(
    rf"(?<!of )\bthis (?:{_WORK}|version|draft)\s+{_GONE}|(?:^|[.;:,]\s*)(?:the )?{_WORK}\s+{_GONE}"
    r"|^withdrawn(?=\W*$|\.| by (?:the )?authors?\b| by arxiv\b| due to\b| because\b)",
    re.IGNORECASE,
)
WITHDRAWN = "This paper has been withdrawn."


def withdrawn(paper: Paper) -> bool:
    """Whether it says so itself: in its comment, or in the abstract's first words."""
    said = _WITHDRAWN.match(one_line(paper.abstract[:200])) or _WITHDRAWN.search(one_line(paper.comment or ""))
    return said is not None


def headline(paper: Paper) -> str:
    """The title for feeds: one line that no reader takes for markup.

    Several readers cut out `<word>` even when it is rightly escaped, and stumble over a lone `<`.
    """
    title = _TAG_LIKE.sub(r"‹\1›", shortened(plain(paper.title)))
    told = one_line(_BETWEEN.sub(" > ", _TIGHT_LESS.sub(" < ", title))) or paper.id
    return f"Withdrawn: {told}" if withdrawn(paper) else told


def shortened(title: str) -> str:
    """No title is that long; a damaged document would fill every list with one."""
    return title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}…"


def author_names(paper: Paper) -> tuple[str, ...]:
    """All authors in Unicode."""
    return tuple(name for name in map(plain, paper.authors) if name)


def capped(names: Sequence[str], limit: int = MAX_AUTHORS) -> tuple[str, ...]:
    """The first names and, for a collaboration of thousands, how many more there are."""
    if len(names) <= limit + 1:
        return tuple(names)
    return (*names[:limit], f"and {len(names) - limit} more")


def names_line(names: Sequence[str], limit: int = MAX_AUTHORS) -> str:
    """`Ada Lovelace, José Núñez and 12 more`."""
    shown = capped(names, limit)
    if len(shown) == len(names):
        return ", ".join(names)
    return f"{', '.join(shown[:-1])} {shown[-1]}"


def reasons_line(reasons: Sequence[Reason]) -> str:
    """`quantization (title), KV cache (abstract), found by the search “abs:pruning”`."""
    places: dict[str, list[str]] = {}
    searches = [reason.term for reason in reasons if reason.field == "search"]
    for reason in reasons:
        if reason.field == "search":
            continue
        found = places.setdefault(reason.term, [])
        if reason.field not in found:
            found.append(reason.field)
    terms = [f"{one_line(term)} ({' and '.join(found)})" for term, found in places.items()]
    return ", ".join([*terms, *(f"found by the search “{one_line(search)}”" for search in searches)])


def number(value: float) -> str:
    """`8.5`, `3`: at most two decimals, none for nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rank_line(entry: Entry) -> str:
    """`Rank 3 of 412, score 8.5`."""
    return f"Rank {entry.rank} of {entry.candidates}, score {number(entry.score)}"


def day_line(day: date) -> str:
    """`Wednesday, 10 December 2025`, whatever the machine's language."""
    return f"{weekday(day)}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def weekday(day: date) -> str:
    return _DAYS[day.weekday()]


def origin_line(summary: Summary) -> str:
    """Who wrote the summary, wherever it is shown."""
    if summary.made_by == "extraction":
        return EXTRACTED
    return f"Summary by {summary.model or 'a language model'} from the {summary.source}"


def absence_line(entry: Entry) -> str:
    """Why an entry has no summary."""
    reason = plain(entry.no_summary or "").rstrip(".")
    return f"No summary: {reason}." if reason else "No summary yet."
