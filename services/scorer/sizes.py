"""What would not fit into a message: a paper that thousands of feeds match, or take."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from shared.messages import Match, Message, PaperScored, PaperSelected, Pick
from shared.provision import MAX_MESSAGE

ROOM_FOR_HEADERS = 4 * 1024
LARGEST = MAX_MESSAGE - ROOM_FOR_HEADERS
LARGEST_PICK = 32 * 1024  # the published entry has the whole paper beside it
ROOM_FOR_TERM, ROOM_FOR_SPAN = 256, 64
COMMA = 1


def fitted(scored: PaperScored, largest: int = LARGEST) -> PaperScored:
    """The same paper in at most `largest` bytes of JSON: without reasons, else with its best matches only.

    Best is the highest score, then the slug; those that stay keep their order. A paper that is too large without
    any match comes back without matches.
    """
    if _size(scored) <= largest:
        return scored
    bare = tuple(match.model_copy(update={"reasons": ()}) for match in scored.matches)
    left = largest - _size(_with(scored, ()))
    best = sorted(bare, key=lambda match: (-match.score, match.feed))
    sizes = accumulate(_size(match) + COMMA for match in best)
    kept = {match.feed for match, size in zip(best, sizes, strict=True) if size <= left}
    return _with(scored, tuple(match for match in bare if match.feed in kept))


def parts(selected: PaperSelected, largest: int = LARGEST) -> tuple[PaperSelected, ...]:
    """The same picks in messages of at most `largest` bytes of JSON; the same picks are divided the same way.

    A pick that is too large by itself (a word that stands in a paper thousands of times) loses its spans, else its
    reasons.
    """
    if all(map(_ordinary, selected.picks)) and _size(selected) <= largest:
        return (selected,)
    left = largest - _size(selected.model_copy(update={"picks": (), "part": 1_000_000}))
    groups = enumerate(_groups(selected.picks, left), start=1)
    return tuple(selected.model_copy(update={"picks": tuple(group), "part": part}) for part, group in groups)


def _groups(picks: tuple[Pick, ...], room: int) -> Iterator[list[Pick]]:
    group: list[Pick] = []
    used = 0
    for whole in picks:
        pick = _slim(whole, min(room, LARGEST_PICK))
        size = _size(pick) + COMMA
        if group and used + size > room:
            yield group
            group, used = [], 0
        group.append(pick)
        used += size
    yield group


def _ordinary(pick: Pick) -> bool:
    return sum(ROOM_FOR_TERM + len(reason.spans) * ROOM_FOR_SPAN for reason in pick.reasons) < LARGEST_PICK


def _slim(pick: Pick, room: int) -> Pick:
    if _size(pick) < room:
        return pick
    bare = tuple(reason.model_copy(update={"spans": ()}) for reason in pick.reasons)
    slim = pick.model_copy(update={"reasons": bare})
    return slim if _size(slim) < room else pick.model_copy(update={"reasons": ()})


def _with(scored: PaperScored, matches: tuple[Match, ...]) -> PaperScored:
    return scored.model_copy(update={"matches": matches})


def _size(value: Message | Match | Pick) -> int:
    return len(value.model_dump_json().encode())
