"""What of a full text goes to a model: within a budget, the telling sections first, in the paper's order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.summarizer.text import shorten
from shared.texts import Section

MIN_PART = 400  # characters; a shorter piece of a section says nothing
_TELLING = re.compile(
    r"abstract|summary|introduction|motivation|method|approach|model|result|experiment|evaluation|finding|discussion|"
    r"conclusion|concluding|limitation|contribution",
    re.IGNORECASE,
)
_APPENDIX = re.compile(r"\s*(?:appendi|supplement|[A-Z][.:]?\s)", re.IGNORECASE)
_HEADING = 2  # characters that join a heading to its text


def within(sections: Sequence[Section], budget: int) -> str:
    """The sections with their headings, in at most `budget` characters.

    Abstract, introduction, method, results and conclusion share the budget; what they leave goes to the others,
    and last to appendices.
    """
    left = budget
    shares: dict[int, int] = {}
    for rank in range(3):
        chosen = [at for at, section in enumerate(sections) if _rank(section.heading) == rank]
        given = _shared([_length(sections[at]) for at in chosen], left)
        shares |= dict(zip(chosen, given, strict=True))
        left -= sum(given)
    parts = (_part(section, shares[at]) for at, section in enumerate(sections))
    return "\n\n".join(part for part in parts if part)


def _rank(heading: str) -> int:
    if _APPENDIX.match(heading) and not re.match(r"\s*(?:a|the)\s", heading, re.IGNORECASE):
        return 2
    return 0 if not heading or _TELLING.search(heading) else 1


def _length(section: Section) -> int:
    return len(section.heading) + len(section.text) + 2 * _HEADING


def _shared(lengths: Sequence[int], budget: int) -> list[int]:
    """How much each gets: all of the short ones, and the same for each of those that are too long."""
    given = [0] * len(lengths)
    order = sorted(range(len(lengths)), key=lambda at: lengths[at])
    for place, at in enumerate(order):
        given[at] = min(lengths[at], budget // (len(order) - place))
        budget -= given[at]
    return given


def _part(section: Section, share: int) -> str:
    if share >= _length(section):
        text = section.text
    elif share < MIN_PART:
        return ""
    else:
        text = shorten(section.text[: 2 * share], share - len(section.heading) - 2 * _HEADING)
    return f"{section.heading}\n{text}" if section.heading else text
