"""The rules of the `[[source]]` blocks that hold for every type of source."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from shared.feeds import ARXIV, SourceConfig
from shared.toml_lines import Path
from shared.toml_reader import Reader, shown

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
TYPE = re.compile(r"[a-z][a-z0-9_]{0,31}")
TAKEN = {ARXIV: "names that begin so are arXiv's own", "backfill": "backfilled papers go by that name"}


def read_sources(reader: Reader, value: Any) -> tuple[SourceConfig, ...]:
    """All sources; no two of a name."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        reader.wrong(("source",), "is no list of sources; write each as [[source]] with a name and a type")
        return ()
    first: dict[str, Path] = {}
    return tuple(_source(reader, ("source", number), item, first) for number, item in enumerate(value))


def chosen_sources(reader: Reader, path: Path, value: Any, names: Collection[str]) -> tuple[str, ...]:
    """The sources that a feed looks at."""
    if value == []:
        reader.wrong(path, "is empty, so no paper is ever looked at; leave it out for arXiv")
    chosen: tuple[str, ...] = reader.items(path, value, lambda at, name: reader.choice(at, name, None, names))
    return tuple(dict.fromkeys(chosen)) or (ARXIV,)


def _source(reader: Reader, path: Path, table: Mapping[str, Any], first: dict[str, Path]) -> SourceConfig:
    name = _name(reader, path, table, first)
    options = {
        key: reader.text((*path, key), table[key]) for key in table if isinstance(key, str) and key not in _COMMON
    }
    return SourceConfig(name, _type(reader, path, table), options, reader.places(path, ("", *_COMMON, *options)))


_COMMON = ("name", "type")


def _name(reader: Reader, path: Path, table: Mapping[str, Any], first: dict[str, Path]) -> str:
    value, at = table.get("name"), (*path, "name")
    if value is None:
        reader.wrong(path, 'has no name; write name = "a-short-name"')
    elif not isinstance(value, str) or not NAME.fullmatch(value):
        reader.wrong(at, f"{shown(value)} is no name; write up to 32 lower-case letters, digits and hyphens")
    elif taken := next((why for name, why in TAKEN.items() if value.startswith(name)), None):
        reader.wrong(at, f"{shown(value)} is taken: {taken}; write another name")
    else:
        reader.names[path] = value
        earlier = first.setdefault(value, path)
        if earlier != path:
            reader.wrong(at, "has the same name; write another one", earlier=(*earlier, "name"))
        return value
    return f"source-{int(path[1]) + 1}"


def _type(reader: Reader, path: Path, table: Mapping[str, Any]) -> str:
    value = table.get("type")
    if value is None:
        reader.wrong(path, 'has no type; write type = "rss", or "biorxiv"')
    elif not isinstance(value, str) or not TYPE.fullmatch(value):
        reader.wrong((*path, "type"), f'{shown(value)} is no type of source; write "rss" or "biorxiv"')
    else:
        return value
    return "rss"
