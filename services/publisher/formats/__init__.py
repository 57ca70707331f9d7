"""The formats a feed is published in: one module each, a feed value in, stable bytes out."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from services.publisher.feed import Feed

NAMES = ("rss", "atom", "jsonfeed", "markdown", "opml")


class Format(Protocol):
    """What a format module offers. `render` is pure: the same feed gives the same bytes, at any time, anywhere."""

    CONTENT_TYPE: str
    SUFFIX: str

    def render(self, feed: Feed) -> bytes: ...


def load(name: str) -> Format:
    """The format module of that name."""
    if name not in NAMES:
        raise ValueError(f"no format {name!r}; there are {', '.join(NAMES)}")
    return cast("Format", import_module(f"{__name__}.{name}"))


def address(feed: Feed, suffix: str = "") -> str:
    """A feed's address: of its page, or of one of its formats (`.rss`)."""
    return f"{feed.public_url}/feeds/{feed.slug}{suffix}"
