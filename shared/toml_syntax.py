"""TOML that `tomllib` refuses, told with its line and what to write instead."""

from __future__ import annotations

import tomllib
from typing import Any

HINTS = {
    "invalid value": "write text in quotes, and end every list with ]",
    "illegal character '\\n'": "close the quote before the line ends",
    "unterminated string": "close the quote",
    "expected \"'''\"": "close the quote",
    'expected \'"""\'': "close the quote",
    "unclosed array": "end the list with ]",
    "unclosed inline table": "end it with }",
    "unescaped '\\'": r"write text with a backslash in single quotes, like 'K\"ahler'",
    "cannot overwrite": "the key stands there twice; write it once",
    "duplicate inline table key": "the key stands there twice; write it once",
    "cannot declare": "the table stands there twice; write [[feed]] for each feed",
    "cannot mutate": "write all of it in one place",
    "expected newline": "write one `key = value` on a line, with a comma between the elements of a list",
    "expected '='": 'write `key = "value"`',
    "expected ']": "write [[feed]], or [feed.summary]",
    "invalid statement": "a line begins with a key, [ or #",
    "invalid initial character": "write a key of letters, digits, _ and -",
    "found invalid character": "write it without, or text in quotes",
    "has a number of": "write a smaller one",
    "is nested too deeply": "write fewer brackets",
}
OTHERWISE = "https://toml.io tells how it is written"


class NotTomlError(Exception):
    """A text is not TOML; the text of the error says why, and what to write."""

    def __init__(self, line: int, what: str) -> None:
        hint = next((hint for found, hint in HINTS.items() if what.startswith(found)), OTHERWISE)
        super().__init__(f"is not TOML: {what}; {hint}")
        self.line = line


def document_of(text: str) -> dict[str, Any]:
    """The document; `NotTomlError` when it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise NotTomlError(_last_line(text), "is nested too deeply") from None
    except ValueError as error:  # a number of 5,000 digits is a plain ValueError
        raise _told(str(error), text) from None


def _told(message: str, text: str) -> NotTomlError:
    if message.startswith("Exceeds the limit"):  # what Python says of it is for programmers
        message = "has a number of thousands of digits"
    what, _, place = message.partition(" (at ")
    line = place.removeprefix("line ").partition(",")[0]
    return NotTomlError(int(line) if line.isdigit() else _last_line(text), f"{what[:1].lower()}{what[1:]}")


def _last_line(text: str) -> int:
    return text.rstrip("\n").count("\n") + 1
