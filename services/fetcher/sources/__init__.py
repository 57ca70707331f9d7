"""Where papers come from: one module for each form of source, loaded by the name that the configuration gives.

A new source is one new file here, with the names of `Source` in it, and a sample in `tests/data/sources/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from shared.feeds import SourceConfig

if TYPE_CHECKING:
    from services.fetcher.sources.arxiv_rss import Announcement

ADDRESS = r"https?://[^\s/?#]+\S*"


@dataclass(frozen=True, slots=True)
class Option:
    """A key of a `[[source]]` block beside `name` and `type`."""

    pattern: str
    example: str
    default: str | None = None
    """Without one it must be given."""


class Source(Protocol):
    """A module that can be polled. All of it is pure: the fetcher makes the requests."""

    OPTIONS: Mapping[str, Option]
    GLOBAL_IDS: bool
    """Its ids mean the same everywhere (a DOI); else the source's name goes before them."""
    BY_DAY: bool
    """It is asked for single days, so what is older than they are never comes back."""

    def requests(self, options: Mapping[str, str], since: date, until: date) -> list[str]:
        """The addresses that together hold what was published from `since` to `until`."""

    def following(self, url: str, document: bytes) -> str | None:
        """The address of the next page, if the document is not the last."""

    def parse(self, document: bytes, *, content_type: str | None = None) -> Announcement:
        """The papers; `UnusableDocument` says what is wrong. An empty document may be dated `UNDATED`."""


UNDATED = date(1970, 1, 1)


def load(name: str) -> Source:
    """The module for a configured type; `LookupError` when there is none."""
    module = f"{__name__}.{name}"
    found = import_module(module) if name.isidentifier() and find_spec(module) else None
    if not hasattr(found, "requests"):
        raise LookupError(f"there is no source of type {name!r}; there is: {', '.join(types())}")
    return cast("Source", found)


def types() -> list[str]:
    """All types that can be configured."""
    names = (module.name for module in iter_modules(__path__))
    return [name for name in names if hasattr(import_module(f"{__name__}.{name}"), "requests")]


def options(config: SourceConfig) -> dict[str, str]:
    """The options of a source whose configuration has no problem, with their defaults."""
    known = load(config.type).OPTIONS
    return {key: config.options.get(key, option.default or "") for key, option in known.items()}


def problems(configs: Iterable[SourceConfig]) -> list[str]:
    """What is wrong with the types and options of sources, each with its line."""
    return [problem for config in configs for problem in _problems(config)]


def _problems(config: SourceConfig) -> Iterable[str]:
    places = config.places
    try:
        known = load(config.type).OPTIONS
    except LookupError as error:
        yield f"{places['type']}: {error}"
        return
    for key in config.options.keys() - known.keys():
        yield f"{places[key]}: there is no such key; possible here: name, type, {', '.join(known)}"
    for key, option in known.items():
        value = config.options.get(key, option.default)
        if value is None:
            yield f'{places[""]}: has no {key}; write {key} = "{option.example}"'
        elif not re.fullmatch(option.pattern, value):
            yield f'{places[key]}: "{value[:60]}" cannot be used; write one like "{option.example}"'
