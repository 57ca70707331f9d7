"""A feed made ready to judge: what each of its terms means to the matcher, and what must be there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from services.scorer.matching import Found, Matcher
from shared.feeds import FeedConfig, Term
from shared.messages import Place, Reason

TITLE_FACTOR = 1.5
DECIMALS = 6  # enough for any weight a person writes, and 0.1 * 1.5 is 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Sought:
    """A term as the matcher knows it; feeds with the same term share one."""

    term: Term
    places: tuple[tuple[Place, int], ...]
    """Where to look, the most telling place first, and for what meaning there."""
    meanings: frozenset[int]
    """All of these."""
    known: dict[Place, Reason] = field(default_factory=dict, repr=False)

    @property
    def most(self) -> float:
        """The points that it can give at most."""
        return max(self.points(place) for place, _ in self.places)

    def points(self, place: Place) -> float:
        """What it gives when it is found there."""
        return round(self.term.weight * (TITLE_FACTOR if place == "title" else 1.0), DECIMALS)

    def place(self, found: Found) -> Place | None:
        """Where it stands, in the first of its places; None when it is not there."""
        for place, meaning in self.places:
            if meaning in found.by_place[place]:
                return place
        return None

    def reason(self, found: Found) -> Reason | None:
        """Where it stands and what it gives; None when it is not there."""
        place = self.place(found)
        if place is None:
            return None
        if place not in self.known:
            self.known[place] = Reason(term=self.term.text, field=place, weight=self.points(place))
        return self.known[place]


@dataclass(frozen=True, slots=True)
class Plan:
    """A feed, ready to judge."""

    config: FeedConfig
    sought: tuple[Sought, ...]
    """Its terms, in the order of `FeedConfig.terms`."""
    excluded: tuple[Sought, ...]
    groups: tuple[tuple[Sought, ...], ...]
    """Of each of these at least one must be found."""

    @classmethod
    def of(cls, config: FeedConfig, seek: Callable[[Term, FeedConfig], Sought]) -> Plan:
        """The plan for a feed; `seek` tells the matcher what to look for."""
        groups = (*((term,) for term in config.require), *config.any_of)
        return cls(
            config,
            tuple(seek(term, config) for term in config.terms),
            tuple(seek(term, config) for term in config.exclude),
            tuple(tuple(seek(term, config) for term in group) for group in groups),
        )

    def admits(self, found: Found) -> bool:
        """Whether nothing excluded is there, and all that must be."""
        if self.excluded and any(sought.place(found) for sought in self.excluded):
            return False
        return not self.groups or all(any(sought.place(found) for sought in group) for group in self.groups)

    def reasons(self, found: Found, among: Iterable[int] | None = None) -> list[Reason]:
        """What is found, and the points that it gives, in the order of the terms.

        `among` are the places in `sought` of all that can be there, ascending, when that is known.
        """
        some = self.sought if among is None else map(self.sought.__getitem__, among)
        return [reason for sought in some if (reason := sought.reason(found))]


class Seeker:
    """Tells the matcher what the feeds look for, every term once."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._known: dict[tuple[Term, str], Sought] = {}

    def __call__(self, term: Term, config: FeedConfig) -> Sought:
        """The term as the matcher knows it."""
        how = "substring" if config.match == "arxiv_rss_bot" else "full name" if term in config.authors else "words"
        sought = self._known.get((term, how))
        if sought is None:
            sought = self._known[term, how] = self._sought(term, how)
        return sought

    def _sought(self, term: Term, how: str) -> Sought:
        places = self._places(term, how)
        return Sought(term, tuple(places), frozenset(meaning for _, meaning in places))

    def _places(self, term: Term, how: str) -> list[tuple[Place, int]]:
        if how == "substring":
            meaning = self._matcher.add_substring(term.text)
            return [("title", meaning), ("abstract", meaning)]
        return [(place, self._meaning(term, place, how)) for place in term.places]

    def _meaning(self, term: Term, place: Place, how: str) -> int:
        if place == "authors":
            return (self._matcher.add_name if how == "full name" else self._matcher.add_name_part)(term.text)
        if place == "categories":
            return self._matcher.add_category(term.text)
        return self._matcher.add_term(term.text, in_comments=place == "comment")
