"""What both readers of documents share: sections with a limit, and headings whose sections nobody summarises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shared.texts import MAX_TEXT, Section

MIN_TEXT = 1_500  # characters; less is a stub, an error page or a scan, and the abstract says as much
MAX_HEADING = 300
_NUMBER = re.compile(r"^(?:appendix\s+)?(?:[0-9]{1,2}|[ivx]{1,5}|[a-z])(?:\.[0-9]{1,2})*[.:)]?\s+(?=\S)", re.IGNORECASE)
_NOT_TEXT = re.compile(
    r"(?:references|bibliography|literature cited|works cited|references and notes|acknowledge?ments?|"
    r"acknowledge?ments? and .{0,60}|contents|table of contents|list of (?:figures|tables)|funding|"
    r"(?:the )?author(?:s'?|'s)? (?:contributions?|list|information)|contributions? of authors|about the authors?|"
    r"(?:declaration of )?(?:competing|conflicts? of) interests?|conflicts? of interests?(?: statement)?|"
    r"(?:data|code|data and code) availability(?: statement)?|ethics (?:declarations?|approval)|"
    r"orcid(?: ids?)?|disclosures?|additional information|(?:index )?keywords|"
    r"neurips paper checklist|reproducibility checklist)",
    re.IGNORECASE,
)


class NoText(Exception):  # noqa: N818 - an answer, not an accident
    """The document gives no text; it says why."""


def unnumbered(heading: str) -> str:
    """`3.1 Method` and `III. METHOD` without the number."""
    return _NUMBER.sub("", heading.strip()).strip(" .:")


def is_boilerplate(heading: str) -> bool:
    """Whether what stands under this heading tells nothing of the paper's content."""
    return any(_NOT_TEXT.fullmatch(name) for name in (heading.strip(" .:"), unnumbered(heading)))


def finished(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections that count, at most `MAX_TEXT` characters of them; `NoText` when it is next to nothing."""
    kept = [section for section in sections if section.text and not is_boilerplate(section.heading)]
    length = sum(len(section.text) for section in kept)
    if length < MIN_TEXT:
        raise NoText(f"it holds only {length} characters of text")
    return _limited(kept)


def _limited(sections: Sequence[Section]) -> tuple[Section, ...]:
    left = MAX_TEXT
    limited: list[Section] = []
    for section in sections:
        if left <= 0:
            break
        heading = section.heading[: min(MAX_HEADING, left)]
        limited.append(Section(heading=heading, text=section.text[: left - len(heading)]))
        left -= len(heading) + len(limited[-1].text)
    return tuple(limited)
